"""Codes: what one is good for, how it is derived, and how long it can be right. None is ever stored."""

import hmac
from datetime import datetime
from typing import Literal, NamedTuple

from sqlalchemy import Select, and_, select
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from ..config import settings
from ..models import Challenge
from .guesses import LONG, MAX_TRIES, phone_key

Bound = Literal["api", "browser"]


class Purpose(NamedTuple):
    """What a code is good for, and for whom, where that is known before it is right."""

    name: str
    user_id: int | None = None


SIGN_IN = Purpose("sign_in")


def phone_change(user_id: int) -> Purpose:
    """Return the purpose of a user who wants another phone."""
    return Purpose("phone_change", user_id)


def code_for(challenge: Challenge) -> str:
    """Derive the one-time code, 4 or 8 ASCII digits; it is never stored (NIST SP 800-63B-4, 3.1.3)."""
    secret = f"{challenge.id}|{challenge.purpose}|{challenge.phone}".encode()
    number = int.from_bytes(hmac.digest(settings().key("codes"), secret, "sha256"), "big")
    return f"{number % 10**challenge.code_length:0{challenge.code_length}}"


def is_live(challenge: Challenge, now: datetime) -> bool:
    """Tell whether a code for it can still be right, where the site does not close it."""
    return challenge.used_at is None and now < challenge.expires_at and challenge.attempts < MAX_TRIES


def live(now: datetime, *, closed: bool) -> ColumnElement[bool]:
    """Return the condition that is_live tells of one; `closed` where the site accepts no short codes."""
    usable = and_(Challenge.used_at.is_(None), Challenge.expires_at > now, Challenge.attempts < MAX_TRIES)
    return and_(usable, Challenge.code_length == LONG) if closed else usable


def of(purpose: Purpose) -> Select[Challenge]:
    """Return a select of the challenges that are of a purpose."""
    found = select(Challenge).where(Challenge.purpose == purpose.name)
    # Two who want one number: neither's code is compared with the other's challenge.
    return found if purpose.user_id is None else found.where(Challenge.user_id == purpose.user_id)


def find(
    db: Session,
    purpose: Purpose,
    phone: str,
    bound: Bound,
    challenge_id: str | None,
    now: datetime,
    *,
    closed: bool,
) -> Challenge | None:
    """Return the challenge that a request means: the one it names, or the newest live one asked through the API."""
    meant = of(purpose).where(Challenge.bound == bound, Challenge.phone_key == phone_key(phone))
    if challenge_id is not None:
        return db.scalar(meant.where(Challenge.id == challenge_id))
    if bound == "browser":
        return None
    newest = meant.where(live(now, closed=closed))
    return db.scalar(newest.order_by(Challenge.created_at.desc(), Challenge.id).limit(1))
