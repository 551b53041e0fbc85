from flask import Flask
from sqlalchemy import select

from referral_app.models import Challenge
from referral_app.services import nightly
from tests.conftest import Clock
from tests.factories import Api, World


def test_live_challenges_end_once_in_the_hours_that_are_set(api: Api, app: Flask, world: World, clock: Clock) -> None:
    first = api.ask().json
    with app.app_context():
        assert nightly.reset_codes() is True
        assert api.exchange(first["code"]).status_code == 400
        second = api.ask("+79161234567").json
        clock.move(hours=1)
        assert nightly.reset_codes() is False
        clock.move(hours=11)
        assert nightly.reset_codes() is True
    # Ended rows stay: guesses are rationed by them.
    assert {row.id for row in world.rows(select(Challenge.id))} == {first["challenge_id"], second["challenge_id"]}
