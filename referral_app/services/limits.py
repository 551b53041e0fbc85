"""Limits: one kind of row, one statement, fixed windows aligned to UTC."""

import hmac
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, cast

from sqlalchemy import bindparam, delete, or_, select, text
from sqlalchemy.orm import Session

from .. import clock
from ..config import settings
from ..db import UtcDateTime, read, transaction
from ..environment import Rate
from ..errors import Refused
from ..models import Counter

HOUR, DAY = 3600, 24 * 3600


class Rule(NamedTuple):
    """A limit: the setting that has its rates, and what it refuses with."""

    setting: str
    slug: str


RULES = {
    "phone-sends": Rule("limit_phone_sends", "too_many_codes"),
    "known-sends": Rule("limit_phone_sends", "too_many_codes"),
    "address-requests": Rule("limit_address_requests", "too_many_requests"),
    "block-sends": Rule("limit_block_sends", "too_many_alike"),
    "sms": Rule("limit_sms", "sms_spent"),
    "sms-money": Rule("limit_sms_money", "sms_spent"),
    "wrong-invites": Rule("limit_wrong_invites", "too_many_invite_codes"),
    "second-factor": Rule("limit_second_factor", "too_many_passwords"),
    "lookups": Rule("limit_lookups", "too_many_requests"),
}

# Any number of requests at once: the row's lock puts them in a line, and none counts past the limit.
_TAKE = text(
    "INSERT INTO counters (key, window_start, n) VALUES (:key, :start, :amount) ON CONFLICT (key, window_start)"
    " DO UPDATE SET n = counters.n + :amount WHERE counters.n + :amount <= :limit RETURNING n"
).bindparams(bindparam("start", type_=UtcDateTime))
_GIVE_BACK = text(
    "UPDATE counters SET n = n - :amount WHERE key = :key AND window_start = :start AND n >= :amount"
).bindparams(bindparam("start", type_=UtcDateTime))
_BOUNDLESS = 2**62


class Spent(Refused):
    """A limit that is used up; `retry_after` are the seconds to the end of its window."""

    def __init__(self, rule: str, slug: str, retry_after: int) -> None:
        super().__init__(slug, retry_after=retry_after)
        self.rule = rule


class Standing(NamedTuple):
    """How far one window of a limit is used."""

    n: int
    limit: int
    ends_at: datetime


class Fired(NamedTuple):
    """How often a limit fired in one hour."""

    hour: datetime
    rule: str
    n: int


@contextmanager
def guarded() -> Iterator[Session]:
    """A command's transaction in which a limit may fire: that undoes the command, and is counted."""
    try:
        with transaction() as db:
            yield db
    except Spent as spent:
        with transaction() as db:
            note_fired(db, spent.rule, clock.now())
        raise


def take(db: Session, rule: str, subject: str, now: datetime, *, amount: int = 1, spare_tenth: bool = False) -> None:
    """Count one more of its kind for a subject; raise Spent, which has to undo the command, where a window is full.

    The longest window comes first: its end is the true one where several are full. `spare_tenth` leaves the last
    10 % of each window to others.
    """
    for limit, seconds in _rates(rule):
        start, usable = window(now, seconds), limit - limit // 10 if spare_tenth else limit
        values = {"key": _key(rule, seconds, subject), "start": start, "limit": usable, "amount": amount}
        if amount > usable or db.execute(_TAKE, values).first() is None:
            wait = (start + timedelta(seconds=seconds) - now).total_seconds()
            raise Spent(rule, RULES[rule].slug, math.ceil(wait))


def give_back(db: Session, rule: str, subject: str, taken_at: datetime) -> None:
    """Take back what was counted at that time."""
    for _limit, seconds in _rates(rule):
        subtract(db, rule, subject, seconds, taken_at)


def add(db: Session, name: str, subject: str, seconds: int, now: datetime) -> int:
    """Count one more of what has no limit of its own, and return the count; the row is locked until the commit."""
    values = {"key": _key(name, seconds, subject), "start": window(now, seconds), "limit": _BOUNDLESS, "amount": 1}
    return int(db.execute(_TAKE, values).scalar_one())


def subtract(db: Session, name: str, subject: str, seconds: int, counted_at: datetime) -> None:
    """Take back one that was counted at that time."""
    db.execute(_GIVE_BACK, {"key": _key(name, seconds, subject), "start": window(counted_at, seconds), "amount": 1})


def correct(db: Session, name: str, subject: str, seconds: int, counted_at: datetime, amount: int) -> None:
    """Add to what was counted at that time, or take from it."""
    values = {"key": _key(name, seconds, subject), "start": window(counted_at, seconds), "amount": -amount}
    db.execute(_GIVE_BACK, values)


def count(db: Session, name: str, subject: str, seconds: int, now: datetime) -> int:
    """Return what is counted in the running window."""
    key = _key(name, seconds, subject)
    found = db.scalar(select(Counter.n).where(Counter.key == key, Counter.window_start == window(now, seconds)))
    return found or 0


def count_by_day(db: Session, names: Iterable[str], since: datetime) -> list[dict[datetime, int]]:
    """Return, for each name, what was counted on each day, by the day's beginning."""
    keys = [_key(name, DAY, "") for name in names]
    days = select(Counter.key, Counter.window_start, Counter.n).where(
        Counter.key.in_(keys), Counter.window_start >= since
    )
    rows = db.execute(days).all()
    return [{row.window_start: row.n for row in rows if row.key == key} for key in keys]


def list_standings(rule: str, subject: str) -> list[Standing]:
    """Return how far each window of a limit is used by a subject, the shortest window first."""
    now = clock.now()
    return [
        Standing(count(read(), rule, subject, seconds, now), limit, window(now, seconds) + timedelta(seconds=seconds))
        for limit, seconds in reversed(_rates(rule))
    ]


def reset_phone(phone: str) -> None:
    """Give a phone its sends back, from known browsers and others. Its ration of guesses stays as it is."""
    with transaction() as db:
        keys = [_key("phone-sends", seconds, phone) for _limit, seconds in _rates("phone-sends")]
        known = Counter.key.like(f"known-sends:%:{_hash(phone)}:%")
        db.execute(delete(Counter).where(or_(Counter.key.in_(keys), known)))


def note_fired(db: Session, rule: str, now: datetime) -> None:
    """Count that a limit fired, by rule and hour."""
    db.execute(_TAKE, {"key": f"fired:{rule}", "start": window(now, HOUR), "limit": _BOUNDLESS, "amount": 1})


def list_fired(since: datetime) -> list[Fired]:
    """Return which limits fired, hour by hour, the newest first."""
    rows = read().execute(
        select(Counter.window_start, Counter.key, Counter.n)
        .where(Counter.key.like("fired:%"), Counter.window_start >= since)
        .order_by(Counter.window_start.desc(), Counter.key)
    )
    return [Fired(hour, key.removeprefix("fired:"), n) for hour, key, n in rows]


def drop_before(db: Session, moment: datetime) -> None:
    """Drop the counters of windows that began before a moment."""
    db.execute(delete(Counter).where(Counter.window_start < moment))


def window(now: datetime, seconds: int) -> datetime:
    """Return the beginning of the window of so many seconds, aligned to UTC."""
    stamp = int(now.timestamp())
    return datetime.fromtimestamp(stamp - stamp % seconds, UTC)


def _rates(rule: str) -> tuple[Rate, ...]:
    return cast("tuple[Rate, ...]", getattr(settings(), RULES[rule].setting))


def _key(name: str, seconds: int, subject: str) -> str:
    """Return the key of a counter; a subject in two parts (phone and browser) can be found by its first."""
    return ":".join([name, str(seconds), *(_hash(part) for part in subject.split(" "))])


def _hash(text: str) -> str:
    return hmac.digest(settings().key("counters"), text.encode(), "sha256")[:20].hex()
