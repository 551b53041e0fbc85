"""Rings of people who name each other at once, long enough to be lucky; no circle may be stored."""

from collections import Counter
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import text

from referral_app.db import db
from tests.factories import Api, World
from tests.services.test_races import activation, at_once

CIRCLES = text(
    "WITH RECURSIVE up(start, at, depth) AS (SELECT id, inviter_id, 1 FROM users WHERE inviter_id IS NOT NULL"
    " UNION ALL SELECT up.start, users.inviter_id, depth + 1 FROM up JOIN users ON users.id = up.at"
    " WHERE users.inviter_id IS NOT NULL AND depth < 50) SELECT count(*) FROM up WHERE start = at"
)


@pytest.mark.both_databases
@pytest.mark.parametrize("size", [2, 3, 10])
def test_rings_leave_no_circle(app: Flask, api: Api, world: World, size: int) -> None:
    answers: Counter[str] = Counter()
    for _round in range(50):
        ring = [world.user() for _ in range(size)]
        answers.update(at_once([activation(api, ring[n], ring[n - 1]) for n in range(size)]))
    with app.app_context():
        assert db.session.execute(CIRCLES).scalar_one() == 0
    assert answers == {"200": 50 * (size - 1), "invite_cycle": 50}
    print(f"\nrings of {size}: 50 rounds, {answers['200']} activations, 0 circles")


@pytest.mark.both_databases
def test_two_tabs_refresh_at_once_a_hundred_times(api: Api, world: World) -> None:
    tokens = world.tokens(world.user())
    for _round in range(100):
        mine = api.bearer(tokens["refresh_token"])
        answers = at_once([partial(mine.post, "/auth/refresh")] * 2)
        assert sorted(answer.status_code for answer in answers) == [200, 401]
        (tokens,) = [answer.json for answer in answers if answer.status_code == 200]
        assert api.bearer(tokens["access_token"]).get("/profiles/me").status_code == 200
    print("\n100 rounds of two refreshes: 100 times 200, 100 times 401, the session lives")
