"""Limits: one kind of row, one statement, fixed windows aligned to UTC."""

import hmac
import math
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from sqlalchemy import bindparam, delete, text
from sqlalchemy.orm import Session

from ..config import Rate, settings
from ..db import UtcDateTime
from ..models import Counter

# Any number of requests at once: the row's lock puts them in a line, and none counts past the limit.
_TAKE = text(
    "INSERT INTO counters (key, window_start, n) VALUES (:key, :start, 1) ON CONFLICT (key, window_start)"
    " DO UPDATE SET n = counters.n + 1 WHERE counters.n < :limit RETURNING n"
).bindparams(bindparam("start", type_=UtcDateTime))
_GIVE_BACK = text("UPDATE counters SET n = n - 1 WHERE key = :key AND window_start = :start AND n > 0").bindparams(
    bindparam("start", type_=UtcDateTime)
)


def take(db: Session, name: str, subject: str, rates: Iterable[Rate], now: datetime) -> int | None:
    """Count one more of its kind for a subject; return None, or the seconds to wait where a window is full.

    The longest window comes first: its end is the true one where several are full. Whoever is told to wait rolls back.
    """
    for limit, seconds in rates:
        start = window(now, seconds)
        values = {"key": _key(name, seconds, subject), "start": start, "limit": limit}
        if db.execute(_TAKE, values).first() is None:
            return math.ceil((start + timedelta(seconds=seconds) - now).total_seconds())
    return None


def give_back(db: Session, name: str, subject: str, rates: Iterable[Rate], taken_at: datetime) -> None:
    """Take back what was counted at that time."""
    for _limit, seconds in rates:
        db.execute(_GIVE_BACK, {"key": _key(name, seconds, subject), "start": window(taken_at, seconds)})


def drop_before(db: Session, moment: datetime) -> None:
    """Drop the counters of windows that began before a moment."""
    db.execute(delete(Counter).where(Counter.window_start < moment))


def window(now: datetime, seconds: int) -> datetime:
    """Return the beginning of the window of so many seconds, aligned to UTC."""
    stamp = int(now.timestamp())
    return datetime.fromtimestamp(stamp - stamp % seconds, UTC)


def _key(name: str, seconds: int, subject: str) -> str:
    return f"{name}:{seconds}:{hmac.digest(settings().key('counters'), subject.encode(), 'sha256').hex()}"
