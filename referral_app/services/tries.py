"""Tries: comparing a code, once for each try, and what a right one gives back."""

import hmac
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ..models import Challenge, Message
from . import codes, guesses, limits
from .codes import SIGN_IN, Bound, Purpose
from .guesses import MAX_TRIES


class Verdict(NamedTuple):
    """What came of comparing a code. `tries_left` is known where the challenge was named."""

    challenge: Challenge | None
    tries_left: int | None = None


def take_a_try(
    db: Session,
    *,
    purpose: Purpose = SIGN_IN,
    phone: str,
    code: str,
    bound: Bound,
    challenge_id: str | None,
    address: str,
    now: datetime,
) -> Verdict:
    """Compare a code with the challenge that is meant; the verdict holds it where the code was right.

    A code of another length takes no try. To be raised after the commit, so that the try stays counted.
    """
    closed = guesses.are_closed(db, now)
    challenge = codes.find(db, purpose, phone, bound, challenge_id, now, closed=closed)
    if challenge is None:
        return Verdict(None)
    named = challenge_id is not None
    if len(code) != challenge.code_length:
        return Verdict(None, _tries_left(challenge, now) if named else None)
    # Parallel guesses: the row's lock puts them in a line, and no more than MAX_TRIES of them find it live.
    taken = db.execute(
        update(Challenge)
        .where(Challenge.id == challenge.id, codes.live(now, closed=closed))
        .values(attempts=Challenge.attempts + 1)
        .returning(Challenge.attempts)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if taken is None:
        return Verdict(None, 0 if named else None)
    if not guesses.take(db, challenge.code_length, now):
        _uncount(db, challenge)  # closed since we looked: not compared
        return Verdict(None, 0 if named else None)
    if not hmac.compare_digest(codes.code_for(challenge), code):
        guesses.note_wrong(db, challenge.id, address, now)
        return Verdict(None, MAX_TRIES - taken if named else None)
    _uncount(db, challenge, used_at=now)
    guesses.note_right(db, challenge.id, challenge.code_length, address, now)
    _give_back_sends(db, challenge)
    return Verdict(challenge)


def _uncount(db: Session, challenge: Challenge, **facts: datetime) -> None:
    db.execute(
        update(Challenge)
        .where(Challenge.id == challenge.id)
        .values(attempts=Challenge.attempts - 1, **facts)
        .execution_options(synchronize_session=False)
    )


def _give_back_sends(db: Session, challenge: Challenge) -> None:
    """Take back what only counts for codes that nobody solves: the request, and the sends to a block of numbers."""
    limits.give_back(db, "address-requests", challenge.address or "", challenge.created_at)
    if challenge.phone and not challenge.known:
        sent = select(Message.created_at).where(Message.challenge_id == challenge.id).order_by(Message.created_at)
        for sent_at in db.scalars(sent).all():
            limits.give_back(db, "block-sends", challenge.phone[:-4], sent_at)


def _tries_left(challenge: Challenge, now: datetime) -> int:
    return MAX_TRIES - challenge.attempts if codes.is_live(challenge, now) else 0
