"""Admins: the first one, the second factor, its guards, its limit."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from referral_app import identity
from referral_app.db import transaction
from referral_app.models import Session, User
from referral_app.services import admins
from tests.conftest import Clock
from tests.factories import PHONE, Api, Browser, World

PASSWORD = "a password for tests"
FACTOR = "/auth/second-factor"
OTHER = "+79161234567"


def give(api: Api, password: str = PASSWORD) -> Any:
    return api.post(FACTOR, {"password": password})


def slug(answer: Any) -> str:
    return str(answer.json["slug"])


@pytest.fixture
def admin(app: Flask, world: World, api: Api) -> Api:
    """The API, asked by an admin who has not given the second factor yet."""
    with app.app_context():
        assert admins.create_admin(PHONE, PASSWORD)
    return api.sign_in()


def test_what_is_for_admins_tells_each_what_is_missing(api: Api, admin: Api, world: World) -> None:
    assert slug(api.get("/profiles")) == "unauthorized"
    refused = api(world.user()).get("/profiles")
    assert (refused.status_code, slug(refused)) == (403, "admin_required")
    refused = admin.get("/profiles")
    assert (refused.status_code, slug(refused)) == (403, "second_factor_required")
    assert give(admin).status_code == 204
    assert admin.get("/profiles").status_code == 200


def test_the_second_factor_counts_for_its_session_alone(api: Api, admin: Api, clock: Clock) -> None:
    give(admin)
    clock.move(minutes=16)
    assert slug(api.sign_in().get("/profiles")) == "second_factor_required"
    assert admin.get("/profiles").status_code == 200


def test_it_outlives_a_refresh_of_the_tokens(api: Api, admin: Api, clock: Clock) -> None:
    clock.move(minutes=15)
    tokens = api.exchange(api.ask().json["code"]).json
    give(api.bearer(tokens["access_token"]))
    clock.move(minutes=1)
    newer = api.bearer(tokens["refresh_token"]).post("/auth/refresh").json["access_token"]
    assert api.bearer(newer).get("/profiles").status_code == 200


def test_for_what_weighs_more_it_has_to_be_younger_than_15_minutes(
    another_app: Callable[..., Flask], admin: Api, clock: Clock
) -> None:
    weighty = another_app()
    weighty.add_url_rule("/api/v1/weighty", view_func=identity.fresh_admin_required(lambda: "done"))
    mine = Api(weighty, admin.headers)
    assert slug(Api(weighty).get("/weighty")) == "unauthorized"
    assert slug(mine.get("/weighty")) == "second_factor_required"
    give(mine)
    clock.move(minutes=14, seconds=59)
    assert mine.get("/weighty").status_code == 200
    clock.move(seconds=1)
    refused = mine.get("/weighty")
    assert (refused.status_code, slug(refused)) == (403, "second_factor_stale")
    give(mine)
    assert mine.get("/weighty").status_code == 200


def test_a_user_cannot_try_passwords(api: Api, world: World) -> None:
    answer = give(api(world.user()))
    assert (answer.status_code, slug(answer)) == (403, "admin_required")
    assert give(api).status_code == 401


def test_a_wrong_password_opens_nothing(admin: Api) -> None:
    answer = give(admin, "something else")
    assert (answer.status_code, slug(answer)) == (400, "wrong_password")
    assert slug(admin.get("/profiles")) == "second_factor_required"


@pytest.mark.parametrize("body", [{}, {"password": ""}, {"password": None}, {"password": 7}, {"password": "x" * 201}])
def test_what_is_no_password_is_told(admin: Api, body: dict[str, Any]) -> None:
    answer = admin.post(FACTOR, body)
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["password"])


def test_five_wrong_passwords_in_15_minutes(admin: Api, clock: Clock) -> None:
    for _ in range(5):
        assert slug(give(admin, "something else")) == "wrong_password"
    refused = give(admin)
    assert (refused.status_code, slug(refused)) == (429, "too_many_passwords")
    assert refused.headers["Retry-After"] == str(14 * 60)
    clock.move(minutes=14)
    assert give(admin).status_code == 204


def test_right_passwords_do_not_count(admin: Api) -> None:
    for _ in range(10):
        assert give(admin).status_code == 204


def test_a_demoted_admin_is_out_at_the_next_request(app: Flask, admin: Api) -> None:
    give(admin)
    with app.app_context(), transaction() as session:
        session.execute(update(User).values(role="user"))
    assert slug(admin.get("/profiles")) == "admin_required"


def test_a_new_password_from_the_command_line_ends_what_the_old_one_opened(app: Flask, admin: Api) -> None:
    give(admin)
    with app.app_context():
        assert not admins.create_admin(PHONE, "another password")
    assert slug(admin.get("/profiles")) == "second_factor_required"
    assert slug(give(admin)) == "wrong_password"
    assert give(admin, "another password").status_code == 204


def test_the_password_is_kept_as_a_slow_hash(admin: Api, world: World) -> None:
    (kept,) = [row.password_hash for row in world.rows(select(User.password_hash))]
    assert kept.startswith("scrypt:")
    assert PASSWORD not in kept


def test_where_it_is_switched_on_the_first_user_is_admin_and_sets_the_password_in_that_session(
    api: Api, clock: Clock, change_settings: Callable[..., None]
) -> None:
    change_settings(first_user_is_admin=True)
    first = api.sign_in()
    assert slug(first.get("/profiles")) == "second_factor_required"
    answer = give(first, "short")
    assert (answer.status_code, slug(answer)) == (422, "weak_password")
    assert give(first).status_code == 204
    assert first.get("/profiles").status_code == 200
    assert slug(give(first, "something else")) == "wrong_password"
    assert slug(api.sign_in(OTHER).get("/profiles")) == "admin_required"


def test_in_a_later_session_the_first_admin_cannot_set_a_password_any_more(
    api: Api, clock: Clock, change_settings: Callable[..., None]
) -> None:
    change_settings(first_user_is_admin=True)
    api.sign_in()
    clock.move(minutes=1)
    answer = give(api.sign_in())
    assert (answer.status_code, slug(answer)) == (403, "password_not_set")


def test_the_first_user_in_a_browser_is_admin_too(
    browser: Browser, world: World, change_settings: Callable[..., None]
) -> None:
    change_settings(first_user_is_admin=True)
    browser.sign_in()
    assert [row.role for row in world.rows(select(User.role))] == ["admin"]


@pytest.mark.parametrize("before", ["a user", "an admin"])
def test_a_site_that_has_users_gets_no_first_admin(
    app: Flask, api: Api, world: World, change_settings: Callable[..., None], before: str
) -> None:
    if before == "a user":
        world.user()
    else:
        with app.app_context():
            admins.create_admin(OTHER, PASSWORD)
    change_settings(first_user_is_admin=True)
    assert slug(api.sign_in().get("/profiles")) == "admin_required"


def test_an_only_user_does_not_become_admin_by_signing_in_again(
    api: Api, clock: Clock, change_settings: Callable[..., None]
) -> None:
    api.sign_in()
    change_settings(first_user_is_admin=True)
    clock.move(minutes=1)
    assert slug(api.sign_in().get("/profiles")) == "admin_required"


def test_where_it_is_switched_off_the_first_user_is_a_user(api: Api) -> None:
    assert slug(api.sign_in().get("/profiles")) == "admin_required"


def test_a_session_of_a_browser_is_none_of_the_api(app: Flask, admin: Api, browser: Browser, world: World) -> None:
    browser.sign_in()
    kinds = [row.kind for row in world.rows(select(Session.kind))]
    assert sorted(kinds) == ["api", "browser"]
    assert browser.get("/api/v1/profiles").status_code == 401
