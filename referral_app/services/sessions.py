"""Sessions: one sign-in of one device; its row decides at each request."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Select, and_, bindparam, func, select, update
from sqlalchemy.orm import Session as Db
from sqlalchemy.sql import ColumnElement

from .. import clock, typed
from ..config import settings
from ..db import end_read, read, transaction
from ..errors import Refused
from ..models import Session, User

FRESH_FOR = timedelta(minutes=15)
SEEN_EVERY = timedelta(hours=1)
RETRY_WITHIN = timedelta(seconds=10)


class Device(NamedTuple):
    """What is known of the device that signs in."""

    user_agent: str | None
    address: str


class Reader(NamedTuple):
    """Who asks. `fresh` tells that the sign-in is younger than 15 minutes; `seen_at` is true to the hour."""

    user_id: int
    role: str
    language: str | None
    session_id: str
    fresh: bool
    seen_at: datetime
    second_factor_at: datetime | None


class Running(NamedTuple):
    """A running session as its owner sees it."""

    id: str
    kind: str
    user_agent: str | None
    address: str | None
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class OpenSession:
    """A session just opened. `token` is a browser's, shown this once: only its hash is kept."""

    id: str
    user_id: int
    refresh_no: int
    expires_at: datetime
    token: str | None = None


_READER = (
    select(
        Session.user_id,
        User.role,
        User.language,
        Session.id,
        Session.created_at,
        Session.last_seen_at,
        Session.second_factor_at,
    )
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


def refresh(session_id: str, number: int) -> OpenSession:
    """Use a refresh token, which works once; raise `unauthorized` for one that was used before.

    The last one used again within 10 seconds is a client that tries again and changes nothing. Any older use means
    that two have the token, and the session ends.
    """
    now = clock.now()
    running = (Session.id == session_id, Session.kind == "api", Session.ended_at.is_(None), Session.expires_at > now)
    owner = select(User.id).where(User.id == Session.user_id, User.blocked_at.is_(None), User.deleted_at.is_(None))
    opened = None
    with transaction() as db:
        # Two tabs that refresh at once: the second finds the number moved on and changes no row.
        row = db.execute(
            update(Session)
            .where(*running, Session.refresh_no == number, owner.exists())
            .values(refresh_no=number + 1, refreshed_at=now, last_seen_at=now)
            .returning(Session.user_id, Session.expires_at)
        ).first()
        if row:
            opened = OpenSession(session_id, row.user_id, number + 1, row.expires_at)
        else:
            is_retry = and_(Session.refresh_no == number + 1, Session.refreshed_at > now - RETRY_WITHIN)
            db.execute(update(Session).where(*running, Session.refresh_no > number, ~is_retry).values(ended_at=now))
    if opened is None:
        raise Refused("unauthorized")
    return opened


def touch(session_id: str) -> None:
    """Note that a session is in use."""
    with transaction() as db:
        db.execute(update(Session).where(Session.id == session_id).values(last_seen_at=clock.now()))


def count_running(user_id: int) -> int:
    """Return how many sessions of a user are running."""
    return read().execute(select(func.count()).where(*_running(user_id))).scalar_one()


def list_running(user_id: int, *, limit: int, offset: int = 0) -> list[Running]:
    """Return the running sessions of a user, the newest first."""
    columns = (getattr(Session, name) for name in Running._fields)
    newest = select(*columns).where(*_running(user_id)).order_by(Session.created_at.desc(), Session.id)
    return [Running(*row) for row in read().execute(newest.limit(limit).offset(offset))]


def end_session(user_id: int, session_id: str) -> None:
    """End one of a user's running sessions; its tokens are refused from the next request on."""
    if not typed.is_id(session_id):
        raise Refused("not_found")
    with transaction() as db:
        ended = db.connection().execute(
            update(Session).where(*_running(user_id), Session.id == session_id).values(ended_at=clock.now())
        )
    if ended.rowcount != 1:
        raise Refused("not_found")


def end_other_sessions(reader: Reader) -> None:
    """End all sessions of the reader but the one that asks."""
    with transaction() as db:
        close_others(db, reader, clock.now())


def close_others(db: Db, reader: Reader, now: datetime) -> None:
    """Do so within a command."""
    others = update(Session).where(*_running(reader.user_id), Session.id != reader.session_id)
    db.execute(others.values(ended_at=now))


def sign_out(reader: Reader) -> None:
    """End the session that asks."""
    with transaction() as db:
        db.execute(update(Session).where(Session.id == reader.session_id).values(ended_at=clock.now()))


def _running(user_id: int) -> tuple[ColumnElement[bool], ...]:
    return Session.user_id == user_id, Session.ended_at.is_(None), Session.expires_at > clock.now()


def _find_reader(
    statement: Select[int, str, str | None, str, datetime, datetime, datetime | None], now: datetime, **values: str
) -> Reader | None:
    row = read().execute(statement, {"now": now, **values}).first()
    end_read()  # the request's body may still be on its way
    if row is None:
        return None
    return Reader(
        row.user_id,
        row.role,
        row.language,
        row.id,
        row.created_at > now - FRESH_FOR,
        row.last_seen_at,
        row.second_factor_at,
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
