"""Invites: one inviter for each person, once, and never in a circle."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Integer, bindparam, literal, select, update
from sqlalchemy.orm import Session as Db
from sqlalchemy.orm import aliased

from .. import clock, invite_code
from ..db import lock, read
from ..errors import Refused
from ..models import User
from . import limits


class Offer(NamedTuple):
    """An invitation: whose code it is, by the first name at most."""

    invite_code: str
    owner_id: int
    first_name: str | None


_OFFER = select(User.invite_code, User.id, User.first_name).where(
    User.invite_code == bindparam("code"), User.deleted_at.is_(None)
)


def find_offer(code: str) -> Offer | None:
    """Return the invitation of a code, as a link or a person writes it."""
    normalised = invite_code.normalise(code)
    row = read().execute(_OFFER, {"code": normalised}).first() if normalised else None
    return Offer(*row) if row else None


def activate(user_id: int, code: str) -> None:
    """Name the owner of an invite code as the user's inviter.

    Refuse with `unknown_invite_code`, `inviter_already_set`, `own_invite_code` or `invite_cycle`; Spent where this
    user has tried too many codes that do not exist.
    """
    now = clock.now()
    with limits.guarded() as db:
        # Three who name each other at once: each walk up sees what the one before has stored, so no circle closes.
        lock(db, "invites")
        limits.take(db, "wrong-invites", str(user_id), now)
        found = _activate(db, user_id, invite_code.normalise(code), now)
        if found:
            limits.give_back(db, "wrong-invites", str(user_id), now)
    if not found:
        raise Refused("unknown_invite_code")


def _activate(db: Db, user_id: int, code: str | None, now: datetime) -> bool:
    """Store the inviter; tell whether there is such a code."""
    owner_id = db.scalar(select(User.id).where(User.invite_code == code, User.deleted_at.is_(None)))
    if code is None or owner_id is None:
        return False
    if db.scalar(select(User.inviter_id).where(User.id == user_id)) is not None:
        raise Refused("inviter_already_set")
    if owner_id == user_id:
        raise Refused("own_invite_code")
    if _is_above(db, user_id, owner_id):
        raise Refused("invite_cycle")
    # The owner's row first: one who refers to it and then waits for it could wait for its owner for ever.
    db.execute(update(User).where(User.id == owner_id).values(invitees_count=User.invitees_count + 1))
    changed = db.connection().execute(
        update(User)
        .where(User.id == user_id, User.inviter_id.is_(None), User.deleted_at.is_(None))
        .values(inviter_id=owner_id, invited_at=now)
    )
    if changed.rowcount != 1:
        raise Refused("inviter_already_set")
    return True


_chain = select(User.inviter_id.label("id")).where(User.id == bindparam("below")).cte("chain", recursive=True)
_above = aliased(User)
# UNION, not UNION ALL: should a circle ever stand in the table, the walk ends all the same.
_chain = _chain.union(select(_above.inviter_id).join(_chain, _above.id == _chain.c.id))
_IS_ABOVE = select(literal(1, Integer)).select_from(_chain).where(_chain.c.id == bindparam("above")).limit(1)


def _is_above(db: Db, above: int, below: int) -> bool:
    """Tell whether one user stands above another in the chain of inviters, at any distance."""
    return db.execute(_IS_ABOVE, {"above": above, "below": below}).first() is not None
