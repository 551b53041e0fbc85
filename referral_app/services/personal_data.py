"""Personal data: all that is stored about a user, to take along or to erase."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, CompoundSelect, Select, and_, case, delete, or_, select, union, update
from sqlalchemy.orm import Session as Db

from .. import clock
from ..config import settings
from ..db import forget_deleted, read, transaction
from ..errors import Refused
from ..gateways import choice
from ..models import Avatar, Challenge, Guess, Message, Session, User
from . import users
from .guesses import MAX_TRIES, phone_key
from .messages import NOTICE
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
    provider: str | None
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
        [Sms(*row) for row in db.execute(_listed(Message, Sms, Message.id.in_(_messages_of(user_id, profile.phone))))],
        [Confirmation(*row) for row in db.execute(_confirmations_of(user_id, profile.phone))],
    )


def _listed(model: Any, facts: Any, condition: ColumnElement[bool]) -> Select[Any]:
    columns = (getattr(model, name) for name in facts._fields)
    return select(*columns).where(condition).order_by(model.created_at.desc(), model.id)


def _confirmations_of(user_id: int, phone: str) -> Select[Any]:
    """Return those that the user asked for or solved, and those of the phone that nobody solved.

    Who asked for the latter may have been anybody, so that the address is no data of the user's.
    """
    own = Challenge.user_id == user_id
    nobodys = and_(Challenge.user_id.is_(None), Challenge.phone_key == phone_key(phone), Challenge.phone.is_not(None))
    facts = {name: getattr(Challenge, name) for name in Confirmation._fields} | {
        "address": case((own, Challenge.address)).label("address")
    }
    return select(*facts.values()).where(or_(own, nobodys)).order_by(Challenge.created_at.desc(), Challenge.id)


def _messages_of(user_id: int, *phones: str) -> CompoundSelect[int]:
    """Return the ids of what was about the user, and of what went to the phones and was not about somebody else.

    A number can have been another's before, or be one that another wants. Each part goes by an index.
    """
    to_others = select(Challenge.id).where(
        Challenge.id == Message.challenge_id, Challenge.user_id.is_not(None), Challenge.user_id != user_id
    )
    return union(
        select(Message.id).where(Message.user_id == user_id),
        select(Message.id).join(Challenge, Challenge.id == Message.challenge_id).where(Challenge.user_id == user_id),
        select(Message.id).where(Message.phone.in_(phones), Message.user_id.is_(None), ~to_others.exists()),
    )


def erase(user_id: int) -> None:
    """Delete a user: nothing stays but the place among inviters and invitees, and HMACs of the phone.

    The phone is free at once. On SQLite nothing of it is left in the database's files; PostgreSQL's vacuum sees to it.
    """
    try:
        with transaction() as db:
            _erase(db, users.hold(db, user_id), clock.now())
    except Refused:
        return  # deleted already, by the other of two clicks
    forget_deleted()


def _erase(db: Db, user: User, now: datetime) -> None:
    phones = _phones_of(db, user)
    _erase_messages(db, user.id, phones)
    _erase_challenges(db, user.id, phones, now)
    db.execute(delete(Avatar).where(Avatar.user_id == user.id))
    db.execute(delete(Session).where(Session.user_id == user.id))
    if user.inviter_id is not None:
        db.execute(update(User).where(User.id == user.inviter_id).values(invitees_count=User.invitees_count - 1))
    user.phone = user.email = user.first_name = user.last_name = user.password_hash = user.language = None
    user.role, user.search_key, user.deleted_at = "user", "", now
    # Before the commit: should this process die, the account is still there to be deleted again.
    choice.console(settings()).forget(phones)


def _phones_of(db: Db, user: User) -> list[str]:
    """Return the phone, and those before it, each told by its notice, that are nobody else's now."""
    others = select(User.phone).where(User.phone.is_not(None), User.id != user.id)
    before = select(Message.phone).where(Message.user_id == user.id, Message.kind == NOTICE)
    return sorted({phone for phone in (user.phone, *db.scalars(before.where(Message.phone.not_in(others)))) if phone})


def _erase_messages(db: Db, user_id: int, phones: list[str]) -> None:
    """Take phones and texts out of the messages. What waits is not sent, and whoever sends one now loses its row."""
    meant = select(Message.id).where(Message.id.in_(_messages_of(user_id, *phones)))
    ids = db.scalars(meant.order_by(Message.id).with_for_update()).all()
    waiting = Message.state.in_(["queued", "sending"])
    db.execute(
        update(Message)
        .where(Message.id.in_(ids))
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
    # What was about others keeps its phone only while it is on its way.
    db.execute(update(Message).where(Message.phone.in_(phones), ~waiting).values(phone=None))


def _erase_challenges(db: Db, user_id: int, phones: list[str], now: datetime) -> None:
    """End the challenges; their HMAC of the phone stays, for its ration of guesses."""
    keys = [phone_key(phone) for phone in phones]
    meant = or_(Challenge.user_id == user_id, and_(Challenge.phone_key.in_(keys), Challenge.user_id.is_(None)))
    # A right code at the same time locks its challenge and then deletes guesses: so does this.
    ids = db.scalars(select(Challenge.id).where(meant).order_by(Challenge.id).with_for_update()).all()
    db.execute(delete(Guess).where(Guess.challenge_id.in_(ids)))
    db.execute(
        update(Challenge)
        .where(Challenge.id.in_(ids))
        .values(
            phone=None,
            address=None,
            user_id=None,
            expires_at=case((Challenge.expires_at > now, now), else_=Challenge.expires_at),
        )
        .execution_options(synchronize_session=False)
    )
    # The requests of others for the number, as those who want it, keep it only while they live.
    is_over = or_(Challenge.used_at.is_not(None), Challenge.expires_at <= now, Challenge.attempts >= MAX_TRIES)
    db.execute(update(Challenge).where(Challenge.phone_key.in_(keys), is_over).values(phone=None))
