"""Challenges: asking for a code, having it sent again, and how that stands for the one who asked."""

import math
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from .. import clock, typed
from ..db import line_up, read
from ..errors import Refused
from ..models import Challenge
from . import codes, guesses, limits, messages, users
from .codes import SIGN_IN, Bound, Purpose
from .guesses import LIFETIME, LONG, MAX_TRIES, phone_key

RESEND_AFTER = timedelta(seconds=60)
TOO_LATE_TO_RESEND = timedelta(minutes=2)


@dataclass(frozen=True)
class Running:
    """A challenge as its owner sees it.

    `state` is `live`, `used`, `expired`, `no_tries` or `closed` (by the site's ration of guesses); times in whole
    seconds; `code` only where codes are shown.
    """

    id: str
    phone: str
    code_length: int
    expires_in: int
    resend_in: int
    tries_left: int
    state: str
    expires_at: datetime
    resend_at: datetime
    code: str | None = None


def ask(
    phone: str,
    *,
    purpose: Purpose = SIGN_IN,
    bound: Bound,
    challenge_id: str | None,
    address: str,
    language: str,
    known: str | None = None,
    show_code: bool = False,
) -> Running:
    """Send a code to a phone, for a running challenge the same one again; return the challenge.

    Whether the phone has an account is never looked at. `known` is the id of a browser that has signed in with the
    phone before. Sooner than allowed: an API gets `resend_too_soon`, a browser its running challenge. A spent limit is
    Spent, and then nothing has changed.
    """
    now = clock.now()
    with limits.guarded() as db:
        # Parallel requests for one phone go one by one: each sees what the one before made.
        line_up(db, phone_key(phone))
        if purpose.user_id is not None:
            users.hold(db, purpose.user_id)
        closed = guesses.are_closed(db, now)
        challenge = codes.find(db, purpose, phone, bound, challenge_id, now, closed=closed)
        if challenge is not None and not _can_be_sent_again(challenge, now, closed=closed):
            challenge = None
        if challenge is not None and now < _resend_at(challenge):
            if bound == "browser":
                return _running(challenge, now, show_code=show_code)
            raise limits.Spent("resend", "resend_too_soon", _seconds(_resend_at(challenge) - now))
        if known is None:
            limits.take(db, "phone-sends", phone, now)
        else:
            limits.take(db, "known-sends", f"{phone} {known}", now)
        if challenge is None:
            challenge = _start(db, purpose, phone, bound, address, now, known=known is not None, closed=closed)
        else:
            challenge.sends += 1
            challenge.last_sent_at = now
            db.flush()
        if not challenge.known:
            limits.take(db, "block-sends", phone[:-4], now)
        message_id = messages.queue_code(db, challenge, language, now)
    messages.queued.send(message_id)
    return _running(challenge, now, show_code=show_code)


def look(challenge_id: str, *, purpose: Purpose = SIGN_IN, show_code: bool = False) -> Running | None:
    """Return a browser's challenge of a purpose as it stands."""
    return _look(
        codes.of(purpose).where(Challenge.id == challenge_id, Challenge.bound == "browser"), show_code=show_code
    )


def get_of_api(challenge_id: str) -> Running:
    """Return a challenge that was asked through the API, as it stands."""
    meant = select(Challenge).where(Challenge.id == challenge_id, Challenge.bound == "api")
    running = _look(meant, show_code=False) if typed.is_id(challenge_id) else None
    if running is None:
        raise Refused("not_found")
    return running


def _look(meant: Select[Challenge], *, show_code: bool) -> Running | None:
    now = clock.now()
    # Anew: what was read before a try of the same request is old.
    challenge = read().scalar(meant.execution_options(populate_existing=True))
    if challenge is None or challenge.phone is None:  # its account was deleted
        return None
    closed = challenge.code_length != LONG and codes.is_live(challenge, now) and guesses.are_closed(read(), now)
    return _running(challenge, now, show_code=show_code, closed=closed)


def _can_be_sent_again(challenge: Challenge, now: datetime, *, closed: bool) -> bool:
    return (
        codes.is_live(challenge, now)
        and now < challenge.expires_at - TOO_LATE_TO_RESEND
        and not (closed and challenge.code_length != LONG)
    )


def _start(
    db: Session,
    purpose: Purpose,
    phone: str,
    bound: Bound,
    address: str,
    now: datetime,
    *,
    known: bool,
    closed: bool,
) -> Challenge:
    limits.take(db, "address-requests", address, now)
    length = guesses.next_length(db, phone_key(phone), address, now, closed=closed)
    if length.rule:
        limits.note_fired(db, length.rule, now)
    challenge = Challenge(
        id=secrets.token_urlsafe(16),
        purpose=purpose.name,
        user_id=purpose.user_id,
        phone=phone,
        phone_key=phone_key(phone),
        code_length=length.digits,
        bound=bound,
        address=address,
        known=known,
        attempts=0,
        sends=1,
        created_at=now,
        last_sent_at=now,
        expires_at=now + LIFETIME,
    )
    db.add(challenge)
    db.flush()
    return challenge


def _resend_at(challenge: Challenge) -> datetime:
    return min(challenge.last_sent_at + RESEND_AFTER, challenge.expires_at - TOO_LATE_TO_RESEND)


def _state(challenge: Challenge, now: datetime, *, closed: bool) -> str:
    if challenge.used_at is not None:
        return "used"
    if challenge.attempts >= MAX_TRIES:
        return "no_tries"
    if not codes.is_live(challenge, now):
        return "expired"
    return "closed" if closed else "live"


def _running(challenge: Challenge, now: datetime, *, show_code: bool, closed: bool = False) -> Running:
    state = _state(challenge, now, closed=closed)
    live = state == "live"
    return Running(
        id=challenge.id,
        phone=challenge.phone or "",
        code_length=challenge.code_length,
        expires_in=_seconds(challenge.expires_at - now),
        resend_in=_seconds(_resend_at(challenge) - now) if live else 0,
        tries_left=MAX_TRIES - challenge.attempts if live else 0,
        state=state,
        expires_at=challenge.expires_at,
        resend_at=_resend_at(challenge),
        code=codes.code_for(challenge) if show_code and live else None,
    )


def _seconds(time: timedelta) -> int:
    return max(0, math.ceil(time.total_seconds()))
