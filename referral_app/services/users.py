"""Users as they see themselves, and as admins list them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session as Db
from sqlalchemy.orm import aliased
from sqlalchemy.sql import ColumnElement

from .. import search
from ..db import read, transaction
from ..errors import Refused
from ..models import Avatar, User

NEWEST = 50
SORTS = ("id", "phone", "email", "first_name", "last_name", "invite_code", "invitees_count", "created_at")


EDITABLE = ("email", "first_name", "last_name")


class Inviter(NamedTuple):
    """Who invited somebody; both are null where the inviter has deleted the account."""

    phone: str | None
    invite_code: str | None


class Invitee(NamedTuple):
    """One who activated the reader's code."""

    phone: str
    invited_at: datetime


@dataclass(frozen=True)
class Profile:
    """A user's own profile; `invitees` are the newest 50 of `invitees_count`."""

    id: int
    phone: str
    email: str | None
    first_name: str | None
    last_name: str | None
    avatar_version: str | None
    invite_code: str
    inviter: Inviter | None
    invited_at: datetime | None
    invitees: list[Invitee]
    invitees_count: int
    created_at: datetime


_inviter = aliased(User)
_PROFILES = (
    select(
        User.id,
        User.phone,
        User.email,
        User.first_name,
        User.last_name,
        User.invite_code,
        User.invited_at,
        User.invitees_count,
        User.created_at,
        User.inviter_id,
        Avatar.version.label("avatar_version"),
        _inviter.phone.label("inviter_phone"),
        _inviter.invite_code.label("inviter_code"),
        _inviter.deleted_at.label("inviter_deleted_at"),
    )
    .outerjoin(_inviter, _inviter.id == User.inviter_id)
    .outerjoin(Avatar, Avatar.user_id == User.id)
    .where(User.deleted_at.is_(None))
)
_PROFILE = _PROFILES.where(User.id == bindparam("user_id"))
_COUNT = select(User.invitees_count).where(User.id == bindparam("user_id"))
_INVITEES = (
    select(User.phone, User.invited_at)
    .where(User.inviter_id == bindparam("user_id"), User.deleted_at.is_(None))
    .order_by(User.invited_at.desc(), User.id.desc())
    .limit(bindparam("limit"))
    .offset(bindparam("offset"))
)


def get_profile(user_id: int, *, newest: int | None = NEWEST) -> Profile:
    """Return a user's profile with its newest invitees or all, in two statements whatever their number."""
    row = read().execute(_PROFILE, {"user_id": user_id}).first()
    if row is None:
        raise Refused("not_found")
    return _profile(row, list_invitees(user_id, limit=newest or row.invitees_count) if row.invitees_count else [])


def count_profiles(query: str) -> int:
    """Return how many users a search finds."""
    return read().execute(select(func.count()).where(User.deleted_at.is_(None), *_found_by(query))).scalar_one()


def list_profiles(query: str, sort: str, *, limit: int, offset: int = 0) -> list[Profile]:
    """Return the users that a search finds, without their invitees; `sort` is one of SORTS, with `-` downwards."""
    column = getattr(User, sort.removeprefix("-"))
    order = [column.desc().nulls_last(), User.id.desc()] if sort.startswith("-") else [column.nulls_last(), User.id]
    rows = read().execute(_PROFILES.where(*_found_by(query)).order_by(*order).limit(limit).offset(offset))
    return [_profile(row, []) for row in rows]


def _found_by(query: str) -> list[ColumnElement[bool]]:
    return [User.search_key.contains(term, autoescape=True) for term in search.terms(query)]


def _profile(row: Any, invitees: list[Invitee]) -> Profile:
    inviter = None
    if row.inviter_id is not None:
        gone = row.inviter_deleted_at is not None
        inviter = Inviter(None, None) if gone else Inviter(row.inviter_phone, row.inviter_code)
    return Profile(
        id=row.id,
        phone=row.phone,
        email=row.email,
        first_name=row.first_name,
        last_name=row.last_name,
        avatar_version=row.avatar_version,
        invite_code=row.invite_code,
        inviter=inviter,
        invited_at=row.invited_at,
        invitees=invitees,
        invitees_count=row.invitees_count,
        created_at=row.created_at,
    )


def edit(user_id: int, **facts: str | None) -> None:
    """Set some of the EDITABLE columns."""
    with transaction() as db:
        user = hold(db, user_id)
        for name in EDITABLE:
            if name in facts:
                setattr(user, name, facts[name])
        user.remake_search_key()


def hold(db: Db, user_id: int) -> User:
    """Within a command, return a user whom no other command changes or deletes until the commit."""
    # Before any other row, and not against those that only refer to it: else two commands could wait for each other.
    held = select(User).where(User.id == user_id, User.deleted_at.is_(None)).with_for_update(key_share=True)
    user = db.scalar(held)
    if user is None:
        raise Refused("not_found")
    return user


def set_language(user_id: int, language: str) -> None:
    """Keep the language that a user has chosen, for pages and SMS."""
    with transaction() as db:
        db.execute(update(User).where(User.id == user_id, User.deleted_at.is_(None)).values(language=language))


def count_invitees(user_id: int) -> int:
    """Return how many have activated a user's code."""
    return read().execute(_COUNT, {"user_id": user_id}).scalar_one()


def list_invitees(user_id: int, *, limit: int, offset: int = 0) -> list[Invitee]:
    """Return those who have activated a user's code, the newest first."""
    rows = read().execute(_INVITEES, {"user_id": user_id, "limit": limit, "offset": offset})
    return [Invitee(phone, invited_at) for phone, invited_at in rows if phone and invited_at]
