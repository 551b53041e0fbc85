"""What happens by the clock."""

from .. import clock
from ..config import Rate, settings
from ..db import transaction
from . import challenges, limits


def reset_codes() -> bool:
    """End live challenges once in CODE_RESET_HOURS, whoever asks how often; tell whether this call did."""
    now = clock.now()
    window = Rate(1, settings().code_reset_hours * 3600)
    with transaction() as db:
        # Several processes with one schedule: the counter lets one of them through in each window.
        if limits.take(db, "code-reset", "", (window,), now) is not None:
            return False
        challenges.end_live(db, now)
        limits.drop_old(db, now)
        return True
