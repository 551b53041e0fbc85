"""Refresh, and the sessions of a user."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from referral_app.db import db
from referral_app.models import Session as SessionRow
from referral_app.models import User
from tests.conftest import Clock
from tests.factories import Api, Browser, World


def refresh(api: Api, token: str) -> Any:
    return api.bearer(token).post("/auth/refresh")


def works(api: Api, tokens: dict[str, Any]) -> bool:
    return bool(api.bearer(tokens["access_token"]).get("/profiles/me").status_code == 200)


def test_a_refresh_token_is_exchanged_for_new_tokens(api: Api, world: World, clock: Clock) -> None:
    first = world.tokens(world.user())
    clock.move(hours=2)
    assert not works(api, first)
    answer = refresh(api, first["refresh_token"])
    assert answer.status_code == 200
    assert answer.json.keys() == {"access_token", "refresh_token", "token_type", "expires_in", "created"}
    assert (answer.json["created"], answer.json["expires_in"]) == (False, 3600)
    assert works(api, answer.json)
    assert refresh(api, answer.json["refresh_token"]).status_code == 200


def test_the_last_token_again_within_ten_seconds_is_refused_and_nothing_more(
    api: Api, world: World, clock: Clock
) -> None:
    first = world.tokens(world.user())
    second = refresh(api, first["refresh_token"]).json
    for seconds in (0, 2, 7.9):
        clock.move(seconds=seconds)
        assert refresh(api, first["refresh_token"]).status_code == 401
    assert works(api, second)
    assert refresh(api, second["refresh_token"]).status_code == 200


def test_the_last_token_again_later_ends_the_session(api: Api, world: World, clock: Clock) -> None:
    first = world.tokens(world.user())
    second = refresh(api, first["refresh_token"]).json
    clock.move(seconds=11)
    assert refresh(api, first["refresh_token"]).status_code == 401
    assert not works(api, second)
    assert refresh(api, second["refresh_token"]).status_code == 401


def test_an_older_token_ends_the_session_at_once(api: Api, world: World) -> None:
    first = world.tokens(world.user())
    second = refresh(api, first["refresh_token"]).json
    third = refresh(api, second["refresh_token"]).json
    assert refresh(api, first["refresh_token"]).status_code == 401
    assert not works(api, third)


def test_an_access_token_refreshes_nothing(api: Api, world: World) -> None:
    assert refresh(api, world.tokens(world.user())["access_token"]).status_code == 401


@pytest.mark.parametrize("change", [{"blocked": True}, {"lifetime": 720}, {"ended": True}])
def test_a_session_that_is_over_is_not_refreshed(
    api: Api, app: Flask, world: World, clock: Clock, change: dict[str, Any]
) -> None:
    tokens = world.tokens(world.user())
    with app.app_context():
        if "blocked" in change:
            db.session.execute(update(User).values(blocked_at=clock.now()))
        if "ended" in change:
            db.session.execute(update(SessionRow).values(ended_at=clock.now()))
        db.session.commit()
    clock.move(hours=change.get("lifetime", 0))
    assert refresh(api, tokens["refresh_token"]).status_code == 401


def test_a_refresh_while_blocked_does_not_end_the_session(api: Api, app: Flask, world: World, clock: Clock) -> None:
    tokens = world.tokens(world.user(blocked_at=clock.now()))
    assert refresh(api, tokens["refresh_token"]).status_code == 401
    with app.app_context():
        db.session.execute(update(User).values(blocked_at=None))
        db.session.commit()
    assert refresh(api, tokens["refresh_token"]).status_code == 200


def test_refreshing_does_not_lengthen_the_session(api: Api, world: World, clock: Clock) -> None:
    tokens = world.tokens(world.user())
    clock.move(hours=719, minutes=30)
    tokens = refresh(api, tokens["refresh_token"]).json
    assert tokens["expires_in"] == 1800
    clock.move(minutes=30)
    assert not works(api, tokens)


@pytest.mark.parametrize("seconds", [-3, 3])
def test_clocks_three_seconds_apart_refuse_nothing(api: Api, world: World, clock: Clock, seconds: float) -> None:
    first = world.tokens(world.user())
    clock.move(seconds=seconds)
    assert works(api, first)
    second = refresh(api, first["refresh_token"]).json
    clock.move(seconds=-seconds)
    assert works(api, second)
    assert refresh(api, second["refresh_token"]).status_code == 200


def test_the_sessions_are_listed_with_device_and_time(api: Api, app: Flask, world: World, clock: Clock) -> None:
    person = world.user()
    browser = Browser(app)
    browser.client.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko Firefox/140.0"
    browser.sign_in(person.phone)
    clock.move(hours=2)
    mine = api(person)
    listed = mine.get("/auth/sessions").json
    assert (listed["count"], listed["next"], listed["previous"]) == (2, None, None)
    here, there = listed["results"]
    assert (here["current"], here["kind"], here["device"]) == (True, "api", "tests")
    assert (there["current"], there["kind"], there["device"]) == (False, "browser", "Firefox, Windows")
    assert there["created_at"] < there["expires_at"]
    browser.get("/profile")
    assert mine.get("/auth/sessions").json["results"][1]["last_seen_at"] == clock.now().isoformat()


def test_one_session_is_ended_and_its_tokens_with_it(api: Api, world: World) -> None:
    person = world.user()
    mine, other = api(person), world.tokens(person)
    (row,) = [one for one in mine.get("/auth/sessions").json["results"] if not one["current"]]
    assert mine.open("DELETE", f"/auth/sessions/{row['id']}").status_code == 204
    assert not works(api, other)
    assert refresh(api, other["refresh_token"]).status_code == 401
    assert mine.open("DELETE", f"/auth/sessions/{row['id']}").status_code == 404
    assert mine.get("/auth/sessions").json["count"] == 1


def test_all_other_sessions_are_ended(api: Api, app: Flask, world: World) -> None:
    person = world.user()
    browser = Browser(app)
    browser.sign_in(person.phone)
    mine, stranger = api(person), api(world.user())
    assert mine.open("DELETE", "/auth/sessions").status_code == 204
    assert mine.get("/auth/sessions").json["count"] == 1
    assert browser.get("/profile").location == "/"
    assert stranger.get("/profiles/me").status_code == 200


@pytest.mark.both_databases
@pytest.mark.parametrize("session_id", ["nonsense", "%00", "%0a", "x" * 500, "💥"])
def test_an_unknown_session_is_404(api: Api, world: World, session_id: str) -> None:
    answer = api(world.user()).open("DELETE", f"/auth/sessions/{session_id}")
    assert (answer.status_code, answer.json["slug"]) == (404, "not_found")


def test_the_session_of_another_is_404_and_lives(api: Api, world: World) -> None:
    other = world.tokens(world.user())
    (row,) = world.rows(select(SessionRow.id))
    assert api(world.user()).open("DELETE", f"/auth/sessions/{row.id}").status_code == 404
    assert works(api, other)
