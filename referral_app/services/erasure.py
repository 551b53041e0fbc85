"""Erasure: a user's personal data go; the place among inviters and invitees stays."""

from datetime import datetime, timedelta

from sqlalchemy import and_, case, delete, or_, select, union, update
from sqlalchemy.orm import Session as Db

from .. import clock
from ..config import settings
from ..db import forget_deleted, mark_deleted, transaction
from ..errors import Refused
from ..gateways import choice
from ..models import Avatar, Challenge, Guess, Message, Session, User
from ..models.message import WAITING
from . import users
from .guesses import MAX_TRIES, phone_key
from .messages import NOTICE
from .personal_data import messages_of

LEFT_FOR = timedelta(days=1)  # what others had under way for a phone that was erased


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
    mark_deleted(db)
    # Before the commit: should this process die, the account is still there to be deleted again.
    choice.console(settings()).forget(phones)


def _phones_of(db: Db, user: User) -> list[str]:
    """Return the phone, and those before it, each told by its notice, that are nobody else's now."""
    others = select(User.phone).where(User.phone.is_not(None), User.id != user.id)
    before = select(Message.phone).where(Message.user_id == user.id, Message.kind == NOTICE)
    return sorted({phone for phone in (user.phone, *db.scalars(before.where(Message.phone.not_in(others)))) if phone})


def _erase_messages(db: Db, user_id: int, phones: list[str]) -> None:
    """Take phones and texts out of the messages. What waits is not sent, and whoever sends one now loses its row."""
    meant = select(Message.id).where(Message.id.in_(messages_of(user_id, *phones)))
    ids = db.scalars(meant.order_by(Message.id).with_for_update()).all()
    waiting = Message.state.in_(WAITING)
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
    # What was about others keeps its phone while it is on its way, and then until forget_leftovers.
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
    # The requests of others for the number, as those who want it, keep it while they live, and until forget_leftovers.
    is_over = or_(Challenge.used_at.is_not(None), Challenge.expires_at <= now, Challenge.attempts >= MAX_TRIES)
    db.execute(update(Challenge).where(Challenge.phone_key.in_(keys), is_over).values(phone=None))


def forget_leftovers() -> None:
    """Take erased phones out of what others had under way for them, once that is a day old."""
    before = clock.now() - LEFT_FOR
    with transaction() as db:
        phones = _leftovers(db, before)[:1000]
        if not phones:
            return
        old = and_(Message.phone.in_(phones), Message.created_at < before, Message.state.not_in(WAITING))
        # Who holds one of them is not waited for: the next time will do.
        ids = db.scalars(select(Message.id).where(old).with_for_update(skip_locked=True)).all()
        db.execute(update(Message).where(Message.id.in_(ids)).values(phone=None, text=None, provider_ref=None))
        old = and_(Challenge.phone.in_(phones), Challenge.created_at < before)
        keys = db.scalars(select(Challenge.id).where(old).with_for_update(skip_locked=True)).all()
        db.execute(update(Challenge).where(Challenge.id.in_(keys)).values(phone=None))
        mark_deleted(db)
        for number in ids:
            choice.console(settings()).withdraw(str(number))
    forget_deleted()


def _leftovers(db: Db, before: datetime) -> list[str]:
    """Return phones that are nobody's, that a user had who was erased, and that something old still names."""
    erased = set(db.scalars(select(Challenge.phone_key).where(Challenge.phone.is_(None)).distinct()))
    if not erased:
        return []
    named = union(
        select(Challenge.phone).where(Challenge.phone.is_not(None), Challenge.created_at < before),
        select(Message.phone).where(
            Message.phone.is_not(None), Message.created_at < before, Message.state.not_in(WAITING)
        ),
    ).subquery()
    owner = select(User.id).where(User.phone == named.c.phone)
    return [phone for phone in db.scalars(select(named.c.phone).where(~owner.exists())) if phone_key(phone) in erased]
