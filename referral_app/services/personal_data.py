"""Personal data: all that is stored about a user, to take along or to erase."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, case, delete, or_, select, update
from sqlalchemy.orm import Session as Db

from .. import clock
from ..config import settings
from ..db import forget_deleted, read, transaction
from ..gateways import choice
from ..models import Avatar, Challenge, Guess, Message, Session, User
from . import users
from .guesses import phone_key
from .users import Profile


class Picture(NamedTuple):
    """The avatar, a WebP."""

    image: bytes
    created_at: datetime


class SignIn(NamedTuple):
    """One sign-in of one device, running or ended."""

    kind: str
    user_agent: str | None
    address: str | None
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    second_factor_at: datetime | None


class Sms(NamedTuple):
    """One SMS; the text of a code is not kept."""

    kind: str
    phone: str | None
    text: str | None
    state: str
    created_at: datetime
    sent_at: datetime | None


class Confirmation(NamedTuple):
    """One phone that was, or was to be, confirmed by a code."""

    purpose: str
    phone: str | None
    address: str | None
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None


class Stored(NamedTuple):
    """All that is stored about a user; `profile` has all invitees."""

    profile: Profile
    role: str
    language: str | None
    avatar: Picture | None
    sessions: list[SignIn]
    messages: list[Sms]
    confirmations: list[Confirmation]


def collect(user_id: int) -> Stored:
    """Return all that is stored about a user, in a fixed number of statements."""
    db = read()
    profile = users.get_profile(user_id, newest=None)
    role, language = db.execute(select(User.role, User.language).where(User.id == user_id)).one()
    avatar = db.execute(select(Avatar.image, Avatar.created_at).where(Avatar.user_id == user_id)).first()
    return Stored(
        profile,
        role,
        language,
        Picture(*avatar) if avatar else None,
        [SignIn(*row) for row in db.execute(_listed(Session, SignIn, Session.user_id == user_id))],
        [Sms(*row) for row in db.execute(_listed(Message, Sms, _messages_of(user_id, profile.phone)))],
        [Confirmation(*row) for row in db.execute(_listed(Challenge, Confirmation, Challenge.user_id == user_id))],
    )


def _listed(model: Any, facts: Any, condition: ColumnElement[bool]) -> Select[Any]:
    columns = (getattr(model, name) for name in facts._fields)
    return select(*columns).where(condition).order_by(model.created_at.desc(), model.id)


def _is_about(user_id: int) -> ColumnElement[bool]:
    asked = select(Challenge.id).where(Challenge.user_id == user_id)
    return or_(Message.user_id == user_id, Message.challenge_id.in_(asked))


def _messages_of(user_id: int, phone: str) -> ColumnElement[bool]:
    """Return what went to the phone, but for what was about others, who had it before."""
    others = select(Challenge.id).where(Challenge.user_id != user_id)
    nobodys = and_(Message.user_id.is_(None), or_(Message.challenge_id.is_(None), Message.challenge_id.not_in(others)))
    return or_(_is_about(user_id), and_(Message.phone == phone, nobodys))


def erase(user_id: int) -> None:
    """Delete a user: nothing stays but the place among inviters and invitees, and HMACs of the phone.

    The phone is free at once. On SQLite nothing of it is left in the database's files; PostgreSQL's vacuum sees to it.
    """
    now = clock.now()
    with transaction() as db:
        user = users.hold(db, user_id)
        phones = _phones_of(db, user)
        _erase_messages(db, user_id, phones)
        _erase_challenges(db, user_id, phones, now)
        db.execute(delete(Avatar).where(Avatar.user_id == user_id))
        db.execute(delete(Session).where(Session.user_id == user_id))
        if user.inviter_id is not None:
            db.execute(update(User).where(User.id == user.inviter_id).values(invitees_count=User.invitees_count - 1))
        user.phone = user.email = user.first_name = user.last_name = user.password_hash = user.language = None
        user.role, user.search_key, user.deleted_at = "user", "", now
        # Before the commit: should this process die, the account is still there to be deleted again.
        choice.console(settings()).forget(phones)
    forget_deleted()


def _phones_of(db: Db, user: User) -> list[str]:
    """Return the phone, and those before it that are nobody else's now."""
    confirmed = select(Challenge.phone).where(Challenge.user_id == user.id, Challenge.used_at.is_not(None))
    others = select(User.phone).where(User.phone.is_not(None), User.id != user.id)
    before = confirmed.where(Challenge.phone.is_not(None), Challenge.phone.not_in(others)).distinct()
    return sorted({phone for phone in (user.phone, *db.scalars(before)) if phone})


def _erase_messages(db: Db, user_id: int, phones: list[str]) -> None:
    """Take phones and texts out of the messages. What waits is not sent, and whoever sends one now loses its row."""
    waiting = Message.state.in_(["queued", "sending"])
    db.execute(
        update(Message)
        .where(or_(_is_about(user_id), Message.phone.in_(phones)))
        .values(
            phone=None,
            text=None,
            user_id=None,
            provider_ref=None,
            taken_until=None,
            state=case((waiting, "expired"), else_=Message.state),
        )
        .execution_options(synchronize_session=False)
    )


def _erase_challenges(db: Db, user_id: int, phones: list[str], now: datetime) -> None:
    """End the challenges; their HMAC of the phone stays, for its ration of guesses."""
    meant = or_(Challenge.user_id == user_id, Challenge.phone_key.in_([phone_key(phone) for phone in phones]))
    db.execute(delete(Guess).where(Guess.challenge_id.in_(select(Challenge.id).where(meant))))
    db.execute(
        update(Challenge)
        .where(meant)
        .values(
            phone=None,
            address=None,
            user_id=None,
            expires_at=case((Challenge.expires_at > now, now), else_=Challenge.expires_at),
        )
        .execution_options(synchronize_session=False)
    )
