"""Accounts: a right code signs its phone in, and makes the account at the first time."""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session as Db

from .. import clock, invite_code
from ..config import settings
from ..db import transaction
from ..errors import Refused
from ..models import Challenge, User
from . import codes, limits, sessions, tries
from .codes import Bound
from .sessions import Device, OpenSession

REPEAT_WITHIN = timedelta(seconds=60)


@dataclass(frozen=True)
class SignedIn:
    """A session, and whether this sign-in has made the account."""

    session: OpenSession
    created: bool


def sign_in(
    phone: str, code: str, *, bound: Bound, challenge_id: str | None, device: Device, language: str
) -> SignedIn:
    """Exchange a right code for a session; raise `wrong_code` or `account_blocked`.

    `language` is kept with an account that this makes.
    """
    now = clock.now()
    signed_in, blocked = None, False
    with transaction() as db:
        verdict = tries.take_a_try(
            db, phone=phone, code=code, bound=bound, challenge_id=challenge_id, address=device.address, now=now
        )
        if verdict.challenge is not None:
            user_id, created, blocked = find_or_make_user(db, phone, language, now)
            db.execute(update(Challenge).where(Challenge.id == verdict.challenge.id).values(user_id=user_id))
            if not blocked:
                if created and settings().first_user_is_admin:
                    _promote_the_first(db, user_id)
                limits.add(db, "sign-ins", "", limits.DAY, now)
                signed_in = SignedIn(sessions.open_session(db, user_id, bound, device, now), created)
        elif bound == "browser" and challenge_id is not None:
            signed_in = _sign_in_again(db, challenge_id, code, now)
    if blocked:
        raise Refused("account_blocked")
    if signed_in is None:
        raise Refused("wrong_code", **({} if verdict.tries_left is None else {"tries_left": verdict.tries_left}))
    return signed_in


# Of any number of first users at once one changes the row. A site that has users gets no first one any more.
_FIRST = text(
    "UPDATE locks SET n = 1 WHERE name = 'first-admin' AND n = 0"
    " AND NOT EXISTS (SELECT 1 FROM users WHERE id <> :user_id)"
)


def _promote_the_first(db: Db, user_id: int) -> None:
    if db.connection().execute(_FIRST, {"user_id": user_id}).rowcount == 1:
        db.execute(update(User).where(User.id == user_id).values(role="admin"))


def find_or_make_user(db: Db, phone: str, language: str | None, now: datetime) -> tuple[int, bool, bool]:
    """Within a command, return the id of the phone's user, whether it was made, whether it is blocked."""
    insert = postgresql.insert if db.connection().dialect.name == "postgresql" else sqlite.insert
    for _attempt in range(20):
        # Two first sign-ins of one phone: the second insert waits for the first and then does nothing.
        made = db.execute(
            insert(User)
            .values(
                phone=phone,
                invite_code=invite_code.make(),
                invitees_count=0,
                role="user",
                language=language,
                created_at=now,
            )
            .on_conflict_do_nothing()
            .returning(User.id)
        ).scalar_one_or_none()
        if made is not None:
            return made, True, False
        # A change of the phone at the same time: it is waited for, and then the phone is nobody's or another's.
        found = select(User.id, User.blocked_at).where(User.phone == phone)
        row = db.execute(found.with_for_update(read=True, key_share=True)).first()
        if row is not None:
            return row.id, False, row.blocked_at is not None
        # Neither made nor there: the invite code was taken already, so another one is tried.
    raise RuntimeError("no free invite code was found in 20 draws")


def _sign_in_again(db: Db, challenge_id: str, code: str, now: datetime) -> SignedIn | None:
    """Answer a right code that the same browser posts twice: the session stays one, its token is a new one."""
    # Several posts at once: the row's lock puts them in a line, the last one's token counts.
    challenge = db.scalar(
        update(Challenge)
        .where(Challenge.id == challenge_id, Challenge.bound == "browser", Challenge.used_at > now - REPEAT_WITHIN)
        .values(redeemed_at=now)
        .returning(Challenge)
    )
    if challenge is None or challenge.user_id is None or challenge.used_at is None:
        return None
    if not hmac.compare_digest(codes.code_for(challenge), code):
        return None
    session = sessions.replace_token(db, challenge.user_id, challenge.used_at, now)
    return SignedIn(session, created=False) if session else None
