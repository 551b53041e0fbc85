"""What happens by the clock. Each of it can run at any time and any number of times."""

from datetime import timedelta

from sqlalchemy import delete, update

from .. import clock
from ..config import settings
from ..db import forget_deleted, transaction
from ..models import Challenge, Guess
from . import guesses, limits


def reset_codes() -> None:
    """End the challenges that were live when the last CODE_RESET_HOURS were over, counted from midnight UTC.

    The rows stay. Challenges asked since then are left alone, however late this runs.
    """
    now = clock.now()
    since = limits.window(now, settings().code_reset_hours * 3600)
    with transaction() as db:
        db.execute(
            update(Challenge)
            .where(Challenge.used_at.is_(None), Challenge.expires_at > now, Challenge.created_at < since)
            .values(expires_at=now)
        )


def drop_old_rows() -> None:
    """Drop what nobody asks for any more: counters of old windows, old guesses, challenges without a phone."""
    before = clock.now() - timedelta(days=45)
    with transaction() as db:
        limits.drop_before(db, before)
        db.execute(delete(Guess).where(Guess.guessed_at < before))
        # Of deleted accounts, whose HMAC was kept for the ration of guesses.
        db.execute(
            delete(Challenge).where(Challenge.phone.is_(None), Challenge.created_at < clock.now() - guesses.RATION)
        )
    forget_deleted()
