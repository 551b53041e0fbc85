import pytest
from flask import Flask
from sqlalchemy import select

from referral_app.errors import Refused
from referral_app.models import Session as SessionRow
from referral_app.services import sessions
from tests.factories import World


def test_nobody_ends_the_session_of_another(app: Flask, world: World) -> None:
    mine, other = world.user(), world.user()
    world.tokens(other)
    (foreign,) = world.rows(select(SessionRow.id))
    with app.app_context(), pytest.raises(Refused, match="not_found"):
        sessions.end_session(mine.id, foreign.id)
    assert world.rows(select(SessionRow.ended_at))[0].ended_at is None
