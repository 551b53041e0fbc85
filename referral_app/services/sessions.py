"""Sessions: one sign-in of one device; its row decides at each request."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Select, bindparam, select, update
from sqlalchemy.orm import Session as Db

from .. import clock
from ..config import settings
from ..db import read, transaction
from ..models import Session, User

FRESH_FOR = timedelta(minutes=15)


class Device(NamedTuple):
    """What is known of the device that signs in."""

    user_agent: str | None
    address: str


class Reader(NamedTuple):
    """Who asks. `fresh` tells that the sign-in is younger than 15 minutes."""

    user_id: int
    role: str
    language: str | None
    session_id: str
    fresh: bool


@dataclass(frozen=True)
class OpenSession:
    """A session just opened. `token` is a browser's, shown this once: only its hash is kept."""

    id: str
    user_id: int
    refresh_no: int
    expires_at: datetime
    token: str | None = None


_READER = (
    select(Session.user_id, User.role, User.language, Session.id, Session.created_at)
    .join(User, User.id == Session.user_id)
    .where(Session.ended_at.is_(None), Session.expires_at > bindparam("now"))
    .where(User.blocked_at.is_(None), User.deleted_at.is_(None))
)
_API_READER = _READER.where(Session.id == bindparam("session_id"), Session.kind == "api")
_BROWSER_READER = _READER.where(Session.token_hash == bindparam("token_hash"), Session.kind == "browser")


def find_api_reader(session_id: str, now: datetime) -> Reader | None:
    """Return who an API session belongs to, where it is running and its user may come in."""
    return _find_reader(_API_READER, now, session_id=session_id)


def find_browser_reader(token: str, now: datetime) -> Reader | None:
    """Return who a browser's token belongs to, where its session is running and its user may come in."""
    return _find_reader(_BROWSER_READER, now, token_hash=_hash(token))


def open_session(db: Db, user_id: int, kind: str, device: Device, now: datetime) -> OpenSession:
    """Open a session within a command."""
    token = secrets.token_urlsafe(32) if kind == "browser" else None
    session = Session(
        id=secrets.token_urlsafe(16),
        user_id=user_id,
        kind=kind,
        token_hash=_hash(token) if token else None,
        refresh_no=0,
        created_at=now,
        last_seen_at=now,
        expires_at=now + settings().session_lifetime,
        user_agent=device.user_agent,
        address=device.address,
    )
    db.add(session)
    db.flush()
    return OpenSession(session.id, user_id, 0, session.expires_at, token)


def replace_token(db: Db, user_id: int, created_at: datetime, now: datetime) -> OpenSession | None:
    """Give a browser's running session a new token in place of its first; return None where it has ended."""
    token = secrets.token_urlsafe(32)
    row = db.execute(
        update(Session)
        .where(Session.user_id == user_id, Session.kind == "browser", Session.created_at == created_at)
        .where(Session.ended_at.is_(None), Session.expires_at > now)
        .values(token_hash=_hash(token))
        .returning(Session.id, Session.refresh_no, Session.expires_at)
    ).first()
    return OpenSession(row.id, user_id, row.refresh_no, row.expires_at, token) if row else None


def end_session(reader: Reader, session_id: str) -> None:
    """End one of the reader's sessions; its tokens are refused from the next request on."""
    with transaction() as db:
        db.execute(
            update(Session)
            .where(Session.id == session_id, Session.user_id == reader.user_id, Session.ended_at.is_(None))
            .values(ended_at=clock.now())
        )


def _find_reader(statement: Select[int, str, str | None, str, datetime], now: datetime, **values: str) -> Reader | None:
    row = read().execute(statement, {"now": now, **values}).first()
    if row is None:
        return None
    return Reader(row.user_id, row.role, row.language, row.id, fresh=row.created_at > now - FRESH_FOR)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
