"""Challenges: asking for a code, sending it again, comparing one. No code is ever stored."""

import hmac
import math
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from sqlalchemy import and_, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from .. import clock
from ..config import settings
from ..db import read, transaction
from ..errors import Refused
from ..models import Challenge
from . import limits, messages

Bound = Literal["api", "browser"]
SIGN_IN = "sign_in"
CODE_LENGTH = 4
MAX_TRIES = 3
LIFETIME = timedelta(minutes=10)
RESEND_AFTER = timedelta(seconds=60)
TOO_LATE_TO_RESEND = timedelta(minutes=2)


@dataclass(frozen=True)
class Running:
    """A challenge as its owner sees it.

    `state` is `live`, `used`, `expired` or `no_tries`; times in whole seconds; `code` only where codes are shown.
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


class Verdict(NamedTuple):
    """What came of comparing a code. `tries_left` is known where the challenge was named."""

    challenge: Challenge | None
    tries_left: int | None = None


def phone_key(phone: str) -> str:
    """Return the HMAC that stands for a phone where the phone itself must not stay."""
    return hmac.digest(settings().key("phones"), phone.encode(), "sha256").hex()


def code_for(challenge: Challenge) -> str:
    """Derive the one-time code, 4 or 8 ASCII digits; it is never stored (NIST SP 800-63B-4, 3.1.3)."""
    secret = f"{challenge.id}|{challenge.purpose}|{challenge.phone}".encode()
    number = int.from_bytes(hmac.digest(settings().key("codes"), secret, "sha256"), "big")
    return f"{number % 10**challenge.code_length:0{challenge.code_length}}"


def is_live(challenge: Challenge, now: datetime) -> bool:
    """Tell whether a code for it can still be right."""
    return challenge.used_at is None and now < challenge.expires_at and challenge.attempts < MAX_TRIES


def ask(
    phone: str, *, bound: Bound, challenge_id: str | None, address: str, language: str, show_code: bool = False
) -> Running:
    """Send a code to a phone, for a running challenge the same one again; return the challenge.

    Whether the phone has an account is never looked at. Sooner than allowed: an API gets `resend_too_soon`, a browser
    its running challenge. A spent limit is `too_many_codes` or `too_many_requests`, and then nothing has changed.
    """
    now = clock.now()
    with transaction() as db:
        # Parallel requests for one phone: its counters' rows put them in a line, each sees what the one before made.
        wait = limits.take(db, "phone-sends", phone, settings().limit_phone_sends, now)
        challenge = _find(db, phone, bound, challenge_id, now)
        if challenge is None or now >= challenge.expires_at - TOO_LATE_TO_RESEND or not is_live(challenge, now):
            challenge = None
        elif now < _resend_at(challenge):
            if bound == "browser":
                running = _running(challenge, now, show_code=show_code)
                db.rollback()  # nothing is sent, so nothing is counted
                return running
            raise Refused("resend_too_soon", retry_after=_seconds(_resend_at(challenge) - now))
        if wait is not None:
            raise Refused("too_many_codes", retry_after=wait)
        if challenge is None:
            challenge = _start(db, phone, bound, address, now)
        else:
            challenge.sends += 1
            challenge.last_sent_at = now
        message_id = messages.queue_code(db, phone, challenge.id, language, challenge.expires_at, now)
    messages.queued.send(message_id)
    return _running(challenge, now, show_code=show_code)


def look(challenge_id: str, *, show_code: bool = False) -> Running | None:
    """Return a browser's challenge as it stands."""
    challenge = read().scalar(select(Challenge).where(Challenge.id == challenge_id, Challenge.bound == "browser"))
    return _running(challenge, clock.now(), show_code=show_code) if challenge else None


def take_a_try(db: Session, *, phone: str, code: str, bound: Bound, challenge_id: str | None, now: datetime) -> Verdict:
    """Compare a code with the challenge that is meant; the verdict holds it where the code was right.

    A code of another length takes no try. To be raised after the commit, so that the try stays counted.
    """
    challenge = _find(db, phone, bound, challenge_id, now)
    if challenge is None:
        return Verdict(None)
    named = challenge_id is not None
    if len(code) != challenge.code_length:
        return Verdict(None, _tries_left(challenge, now) if named else None)
    # Parallel guesses: the row's lock puts them in a line, and no more than MAX_TRIES of them find it live.
    taken = db.execute(
        update(Challenge)
        .where(Challenge.id == challenge.id, _live(now))
        .values(attempts=Challenge.attempts + 1)
        .returning(Challenge.attempts)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if taken is None:
        return Verdict(None, 0 if named else None)
    if not hmac.compare_digest(code_for(challenge), code):
        return Verdict(None, MAX_TRIES - taken if named else None)
    db.execute(
        update(Challenge)
        .where(Challenge.id == challenge.id)
        .values(attempts=Challenge.attempts - 1, used_at=now)
        .execution_options(synchronize_session=False)
    )
    limits.give_back(
        db, "address-requests", challenge.address or "", settings().limit_address_requests, challenge.created_at
    )
    return Verdict(challenge)


def _find(db: Session, phone: str, bound: Bound, challenge_id: str | None, now: datetime) -> Challenge | None:
    """Return the challenge that a request means: the one it names, or the newest live one asked through the API."""
    meant = select(Challenge).where(
        Challenge.purpose == SIGN_IN, Challenge.bound == bound, Challenge.phone_key == phone_key(phone)
    )
    if challenge_id is not None:
        return db.scalar(meant.where(Challenge.id == challenge_id))
    if bound == "browser":
        return None
    return db.scalar(meant.where(_live(now)).order_by(Challenge.created_at.desc(), Challenge.id).limit(1))


def _live(now: datetime) -> ColumnElement[bool]:
    return and_(Challenge.used_at.is_(None), Challenge.expires_at > now, Challenge.attempts < MAX_TRIES)


def _start(db: Session, phone: str, bound: Bound, address: str, now: datetime) -> Challenge:
    wait = limits.take(db, "address-requests", address, settings().limit_address_requests, now)
    if wait is not None:
        raise Refused("too_many_requests", retry_after=wait)
    challenge = Challenge(
        id=secrets.token_urlsafe(16),
        purpose=SIGN_IN,
        phone=phone,
        phone_key=phone_key(phone),
        code_length=CODE_LENGTH,
        bound=bound,
        address=address,
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


def _tries_left(challenge: Challenge, now: datetime) -> int:
    return MAX_TRIES - challenge.attempts if is_live(challenge, now) else 0


def _state(challenge: Challenge, now: datetime) -> str:
    if challenge.used_at is not None:
        return "used"
    if challenge.attempts >= MAX_TRIES:
        return "no_tries"
    return "live" if is_live(challenge, now) else "expired"


def _running(challenge: Challenge, now: datetime, *, show_code: bool) -> Running:
    live = is_live(challenge, now)
    return Running(
        id=challenge.id,
        phone=challenge.phone or "",
        code_length=challenge.code_length,
        expires_in=_seconds(challenge.expires_at - now),
        resend_in=_seconds(_resend_at(challenge) - now) if live else 0,
        tries_left=_tries_left(challenge, now),
        state=_state(challenge, now),
        expires_at=challenge.expires_at,
        resend_at=_resend_at(challenge),
        code=code_for(challenge) if show_code and live else None,
    )


def _seconds(time: timedelta) -> int:
    return max(0, math.ceil(time.total_seconds()))
