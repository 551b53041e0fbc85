"""Admins: those made at the command line, and the password that is their second factor."""

from sqlalchemy import bindparam, select, update
from werkzeug.security import check_password_hash, generate_password_hash

from .. import clock
from ..db import read, transaction
from ..errors import Refused
from ..models import Session, User
from . import accounts, limits
from .sessions import Reader

SHORTEST = 8

_OWN = (
    select(User.password_hash, User.created_at, Session.created_at.label("session_created_at"))
    .join(Session, Session.user_id == User.id)
    .where(Session.id == bindparam("session_id"))
)


def create_admin(phone: str, password: str) -> bool:
    """Make the user of a phone an admin with this password; tell whether the account was made too.

    Raise `weak_password` for one of fewer than 8 characters.
    """
    hashed = _hash(password)
    with transaction() as db:
        user_id, created, _blocked = accounts.find_or_make_user(db, phone, None, clock.now())
        db.execute(update(User).where(User.id == user_id).values(role="admin", password_hash=hashed))
        # What was given in a running session was another password.
        db.execute(update(Session).where(Session.user_id == user_id).values(second_factor_at=None))
    return created


def give_second_factor(reader: Reader, password: str) -> None:
    """Compare an admin's password, and note it in the session.

    The first admin has none: the one given within the session that made the account is set, elsewhere it is
    `password_not_set`. Refuse with `wrong_password`; Spent after too many of them.
    """
    now = clock.now()
    own = read().execute(_OWN, {"session_id": reader.session_id}).one()
    if own.password_hash is None:
        if own.session_created_at != own.created_at:
            raise Refused("password_not_set")
        _set_first_password(reader, password)
        return
    # Counted before it is compared, which takes a while: parallel guesses must not slip through meanwhile.
    with limits.guarded() as db:
        limits.take(db, "second-factor", str(reader.user_id), now)
    if not check_password_hash(own.password_hash, password):
        raise Refused("wrong_password")
    with transaction() as db:
        limits.give_back(db, "second-factor", str(reader.user_id), now)
        db.execute(update(Session).where(Session.id == reader.session_id).values(second_factor_at=now))


def _set_first_password(reader: Reader, password: str) -> None:
    hashed = _hash(password)
    with transaction() as db:
        # Two at once: the second finds a password set and changes no row.
        changed = db.connection().execute(
            update(User).where(User.id == reader.user_id, User.password_hash.is_(None)).values(password_hash=hashed)
        )
        if changed.rowcount == 1:
            db.execute(update(Session).where(Session.id == reader.session_id).values(second_factor_at=clock.now()))
    if changed.rowcount != 1:
        raise Refused("wrong_password")


def _hash(password: str) -> str:
    if len(password) < SHORTEST:
        raise Refused("weak_password")
    return generate_password_hash(password)
