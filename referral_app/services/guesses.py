"""The ration of guesses: what a compared code counts for, and how long the next code has to be.

A code of 4 digits carries 13.3 bits. Where its guesses are spent, of a phone, an address or the whole site, the next
code has 8 digits; nobody is locked out.
"""

import hmac
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import and_, bindparam, case, delete, func, select
from sqlalchemy.orm import Session

from .. import clock
from ..config import settings
from ..db import read
from ..models import Challenge, Guess
from . import limits
from .limits import DAY, HOUR

SHORT, LONG = 4, 8
MAX_TRIES = 3
LIFETIME = timedelta(minutes=10)
# For one phone: so many guesses at 4 digits in any 45 days. The ten minutes let the days be counted from guesses,
# which come later than their challenge.
PER_PHONE = 9
RATION = timedelta(days=45) + LIFETIME
PER_ADDRESS = 20  # wrong guesses of one address in an hour
PER_DAY = 80  # wrong guesses of the whole site in a day, or 1 % of the sign-ins of the day before
PER_MONTH = 240  # the same in 30 days, or 1 % of their sign-ins
MONTH = timedelta(days=30)


class Length(NamedTuple):
    """How many digits the next code has; `rule` names the ration that is spent."""

    digits: int
    rule: str | None


class SiteGuesses(NamedTuple):
    """Wrong guesses at 4 digits on the whole site, and how many may be."""

    today: int
    today_limit: float
    month: int
    month_limit: float

    @property
    def are_spent(self) -> bool:
        """Tell whether codes of 4 digits are closed."""
        return self.today > self.today_limit or self.month > self.month_limit


def phone_key(phone: str) -> str:
    """Return the HMAC that stands for a phone where the phone itself must not stay."""
    return hmac.digest(settings().key("phones"), phone.encode(), "sha256").hex()


_SPENT = select(
    func.coalesce(
        func.sum(
            case(
                # One that can still be guessed at counts in full.
                (
                    and_(
                        Challenge.used_at.is_(None),
                        Challenge.expires_at > bindparam("now"),
                        Challenge.attempts < MAX_TRIES,
                    ),
                    MAX_TRIES,
                ),
                # In a browser only the one who asked can guess, so that slips before a right code were the owner's.
                (and_(Challenge.used_at.is_not(None), Challenge.bound == "browser"), 0),
                else_=Challenge.attempts,
            )
        ),
        0,
    )
).where(
    Challenge.phone_key == bindparam("phone_key"),
    Challenge.code_length == SHORT,
    Challenge.created_at > bindparam("since"),
)


def spent_on(db: Session, phone_key: str, now: datetime) -> int:
    """Return how many guesses at 4 digits a phone has spent or could still spend, of PER_PHONE."""
    return int(db.execute(_SPENT, {"phone_key": phone_key, "now": now, "since": now - RATION}).scalar_one())


def next_length(db: Session, phone_key: str, address: str, now: datetime, *, closed: bool) -> Length:
    """Return how many digits the next code for a phone has, asked from an address; `closed` as are_closed tells."""
    if spent_on(db, phone_key, now) + MAX_TRIES > PER_PHONE:
        return Length(LONG, "phone-guesses")
    if limits.count(db, "address-guesses", address, HOUR, now) >= PER_ADDRESS:
        return Length(LONG, "address-guesses")
    if closed:
        return Length(LONG, "site-guesses")
    return Length(SHORT, None)


def of_phone(phone: str) -> int:
    """Return how many guesses a phone has spent, of PER_PHONE."""
    return spent_on(read(), phone_key(phone), clock.now())


def of_address(address: str) -> int:
    """Return how many guesses from an address were wrong in this hour, of PER_ADDRESS."""
    return limits.count(read(), "address-guesses", address, HOUR, clock.now())


def look_ahead(phone: str, address: str) -> Length:
    """Return how long the next code would be."""
    now = clock.now()
    return next_length(read(), phone_key(phone), address, now, closed=are_closed(read(), now))


def of_site(db: Session, now: datetime) -> SiteGuesses:
    """Return how the whole site stands."""
    today = limits.window(now, DAY)
    since = today - MONTH + timedelta(days=1)
    wrong, right = limits.count_by_day(db, ("site-guesses", "sign-ins"), since)
    return SiteGuesses(
        wrong.get(today, 0),
        max(PER_DAY, right.get(today - timedelta(days=1), 0) / 100),
        sum(wrong.values()),
        max(PER_MONTH, sum(right.values()) / 100),
    )


def are_closed(db: Session, now: datetime) -> bool:
    """Tell whether the whole site accepts no code of 4 digits at the moment."""
    return of_site(db, now).are_spent


def take(db: Session, digits: int, now: datetime) -> bool:
    """Count a guess at a code of so many digits, before it is compared; tell whether it may be."""
    if digits != SHORT:
        return True
    # Guesses at many phones at once: the day's row puts them in a line, so that each sees all before it.
    limits.add(db, "site-guesses", "", DAY, now)
    site = of_site(db, now)
    if site._replace(today=site.today - 1, month=site.month - 1).are_spent:
        limits.subtract(db, "site-guesses", "", DAY, now)
        return False
    return True


def note_wrong(db: Session, challenge_id: str, address: str, now: datetime) -> None:
    """Count a guess that was wrong, at the address it came from."""
    db.add(Guess(challenge_id=challenge_id, address=address, guessed_at=now))
    limits.add(db, "address-guesses", address, HOUR, now)


def note_right(db: Session, challenge_id: str, digits: int, address: str, now: datetime) -> None:
    """Give back the right guess, and the wrong ones before it from the same address: slips of its owner."""
    slips = db.scalars(
        delete(Guess).where(Guess.challenge_id == challenge_id, Guess.address == address).returning(Guess.guessed_at)
    ).all()
    if digits == SHORT:
        for counted_at in sorted([*slips, now]):
            limits.subtract(db, "site-guesses", "", DAY, counted_at)
    for counted_at in sorted(slips):
        limits.subtract(db, "address-guesses", address, HOUR, counted_at)
