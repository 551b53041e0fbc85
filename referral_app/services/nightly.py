"""What happens by the clock. Each of it can run at any time and any number of times."""

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, select, update

from .. import clock
from ..config import settings
from ..db import forget_deleted, transaction
from ..gateways import choice
from ..models import Challenge, Guess, Message, Session
from ..models.message import WAITING
from . import guesses, limits

ADDRESSES_KEPT = timedelta(days=90)
TEXTS_KEPT = timedelta(days=30)


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
    now = clock.now()
    before = now - timedelta(days=45)
    with transaction() as db:
        limits.drop_before(db, before)
        db.execute(delete(Guess).where(Guess.guessed_at < before))
        # Of deleted accounts, whose HMAC was kept for the ration of guesses.
        db.execute(delete(Challenge).where(Challenge.phone.is_(None), Challenge.created_at < now - guesses.RATION))
    forget_deleted()


def forget_old_data() -> None:
    """Take the client addresses and the texts of SMS out of what is older than they are kept."""
    now = clock.now()
    with transaction() as db:
        for model in (Challenge, Session):
            old = and_(model.address.is_not(None), model.created_at < now - ADDRESSES_KEPT)
            db.execute(update(model).where(_free(model, old)).values(address=None))
        old = and_(Message.text.is_not(None), Message.created_at < now - TEXTS_KEPT, Message.state.not_in(WAITING))
        db.execute(update(Message).where(_free(Message, old)).values(text=None))
    choice.console(settings()).forget_before(now - TEXTS_KEPT)


def _free(model: Any, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Leave out rows that others hold: they are not waited for, the next time will do."""
    return model.id.in_(select(model.id).where(condition).with_for_update(skip_locked=True))  # type: ignore[no-any-return]
