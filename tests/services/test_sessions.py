from flask import Flask
from sqlalchemy import select

from referral_app.models import Session as SessionRow
from referral_app.services import sessions
from referral_app.services.sessions import Reader
from tests.factories import World


def test_nobody_ends_the_session_of_another(app: Flask, world: World) -> None:
    mine, other = world.user(), world.user()
    world.tokens(other)
    (foreign,) = world.rows(select(SessionRow.id))
    with app.app_context():
        sessions.end_session(Reader(mine.id, "user", None, "any", fresh=True), foreign.id)
    assert world.rows(select(SessionRow.ended_at))[0].ended_at is None
