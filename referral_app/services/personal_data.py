"""Personal data: all that is stored about a user, to take along."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, CompoundSelect, Select, and_, case, or_, select, union
from sqlalchemy.orm import Session as Db

from ..db import read
from ..models import Attempt, Avatar, Challenge, Message, Session, User
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
    refreshed_at: datetime | None
    expires_at: datetime
    ended_at: datetime | None
    second_factor_at: datetime | None


class Handover(NamedTuple):
    """One attempt to hand an SMS to a provider; the outcome is None while it is under way."""

    provider: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    reason: str | None


class Sms(NamedTuple):
    """One SMS; the text of a code is not kept. The cost is in roubles."""

    id: int
    kind: str
    phone: str | None
    language: str
    text: str | None
    provider: str | None
    state: str
    error: str | None
    cost: Decimal | None
    created_at: datetime
    expires_at: datetime | None
    sent_at: datetime | None
    handovers: list[Handover]


class Confirmation(NamedTuple):
    """One phone that was, or was to be, confirmed by a code."""

    purpose: str
    phone: str | None
    bound: str
    code_length: int
    address: str | None
    known: bool | None
    attempts: int
    sends: int
    created_at: datetime
    last_sent_at: datetime
    expires_at: datetime
    used_at: datetime | None


class Stored(NamedTuple):
    """All that is stored about a user; `profile` has all invitees."""

    profile: Profile
    role: str
    language: str | None
    has_password: bool
    avatar: Picture | None
    sessions: list[SignIn]
    messages: list[Sms]
    confirmations: list[Confirmation]


def collect(user_id: int) -> Stored:
    """Return all that is stored about a user, in a fixed number of statements."""
    db = read()
    profile = users.get_profile(user_id, newest=None)
    own = select(User.role, User.language, User.password_hash.is_not(None)).where(User.id == user_id)
    avatar = db.execute(select(Avatar.image, Avatar.created_at).where(Avatar.user_id == user_id)).first()
    return Stored(
        profile,
        *db.execute(own).one(),
        Picture(*avatar) if avatar else None,
        [SignIn(*row) for row in db.execute(_listed(Session, SignIn._fields, Session.user_id == user_id))],
        _messages(db, messages_of(user_id, profile.phone)),
        [Confirmation(*row) for row in db.execute(_confirmations_of(user_id, profile.phone))],
    )


def _messages(db: Db, ids: CompoundSelect[int]) -> list[Sms]:
    handovers: dict[int, list[Handover]] = {}
    columns = (getattr(Attempt, name) for name in Handover._fields)
    made = select(Attempt.message_id, *columns).where(Attempt.message_id.in_(ids)).order_by(Attempt.id)
    for message_id, *facts in db.execute(made):
        handovers.setdefault(message_id, []).append(Handover(*facts))
    rows = db.execute(_listed(Message, Sms._fields[:-1], Message.id.in_(ids)))
    return [Sms._make([*row, handovers.get(row.id, [])]) for row in rows]


def _listed(model: Any, names: Iterable[str], condition: ColumnElement[bool]) -> Select[Any]:
    columns = (getattr(model, name) for name in names)
    return select(*columns).where(condition).order_by(model.created_at.desc(), model.id)


def _confirmations_of(user_id: int, phone: str) -> Select[Any]:
    """Return those that the user asked for or solved, and those of the phone that nobody solved.

    Who asked for the latter may have been anybody: from where, and from which browser, is no data of the user's.
    """
    own = Challenge.user_id == user_id
    nobodys = and_(Challenge.user_id.is_(None), Challenge.phone_key == phone_key(phone), Challenge.phone.is_not(None))
    facts = {name: getattr(Challenge, name) for name in Confirmation._fields} | {
        "address": case((own, Challenge.address)).label("address"),
        "known": case((own, Challenge.known)).label("known"),
    }
    return select(*facts.values()).where(or_(own, nobodys)).order_by(Challenge.created_at.desc(), Challenge.id)


def messages_of(user_id: int, *phones: str) -> CompoundSelect[int]:
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
