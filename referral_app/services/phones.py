"""Changing the phone of an account: a code goes to the new number, a notice to the old one."""

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session as Db

from .. import clock
from ..db import read
from ..errors import Refused
from ..models import User
from . import challenges, codes, limits, messages, sessions, tries, users
from .challenges import Running
from .codes import Bound
from .sessions import Reader


def ask(
    reader: Reader,
    phone: str,
    *,
    bound: Bound,
    challenge_id: str | None,
    address: str,
    language: str,
    show_code: bool = False,
) -> Running:
    """Send a code to the new number; `sign_in_again` where the reader's sign-in is older than 15 minutes.

    Whether the number is somebody's is not looked at: its owner alone learns that, by the right code. Several people
    who want one number have each a challenge of their own.
    """
    if not reader.fresh:
        raise Refused("sign_in_again")
    if read().scalar(select(User.phone).where(User.id == reader.user_id)) == phone:
        raise Refused("own_phone")
    return challenges.ask(
        phone,
        purpose=codes.phone_change(reader.user_id),
        bound=bound,
        challenge_id=challenge_id,
        address=address,
        language=language,
        show_code=show_code,
    )


def confirm(
    reader: Reader, phone: str, code: str, *, bound: Bound, challenge_id: str | None, address: str, language: str
) -> None:
    """Give the reader's account a new phone, end the other sessions, tell the old number.

    Refuse with `wrong_code`, after the right one with `phone_taken`. Spent where the site may send no SMS: then nothing
    has changed, and the code can be used later.
    """
    now, notice_id = clock.now(), None
    with limits.guarded() as db:
        user = users.hold(db, reader.user_id)
        verdict = tries.take_a_try(
            db,
            purpose=codes.phone_change(reader.user_id),
            phone=phone,
            code=code,
            bound=bound,
            challenge_id=challenge_id,
            address=address,
            now=now,
        )
        if verdict.challenge is not None:
            old = user.phone
            if _give(db, user, phone):
                sessions.close_others(db, reader, now)
                notice_id = messages.queue_notice(db, user.id, old or "", phone, user.language or language, now)
    if verdict.challenge is None:
        raise Refused("wrong_code", **({} if verdict.tries_left is None else {"tries_left": verdict.tries_left}))
    if notice_id is None:
        raise Refused("phone_taken")
    messages.queued.send(notice_id)


def _give(db: Db, user: User, phone: str) -> bool:
    """Store the phone; tell whether it was free."""
    # Two who confirm one number at once, or one who signs up with it: the unique column lets one of them have it.
    try:
        with db.begin_nested():
            user.phone = phone
            user.remake_search_key()
    except IntegrityError:
        return False
    return True
