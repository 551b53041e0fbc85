"""flask users create-admin."""

import pytest
from flask import Flask
from sqlalchemy import select

from referral_app.models import User
from tests.factories import PHONE, Api, World

PASSWORD = "a password for tests"


def create(app: Flask, phone: str = PHONE, password: str = PASSWORD) -> tuple[int, str]:
    answer = app.test_cli_runner().invoke(args=["users", "create-admin", phone], input=f"{password}\n{password}\n")
    return answer.exit_code, answer.output


def test_it_makes_the_account_of_a_new_phone(app: Flask, api: Api, world: World) -> None:
    assert create(app, "8 999 123-45-67") == (0, "The account was made, and is an admin's.\n")
    asked = api.ask().json
    answer = api.exchange(asked["code"])
    assert (answer.status_code, answer.json["created"]) == (200, False)
    mine = api.bearer(answer.json["access_token"])
    assert mine.post("/auth/second-factor", {"password": PASSWORD}).status_code == 204
    assert mine.get("/profiles").json["count"] == 1


def test_it_makes_an_admin_of_who_is_there(app: Flask, api: Api, world: World) -> None:
    person = world.user(PHONE)
    assert create(app) == (0, "The account is an admin's now.\n")
    assert api(person).post("/auth/second-factor", {"password": PASSWORD}).status_code == 204


@pytest.mark.parametrize("phone", ["8 495 123-45-67", "nobody"])
def test_a_phone_that_cannot_be_used_changes_nothing(app: Flask, world: World, phone: str) -> None:
    status, output = create(app, phone)
    assert (status, "no mobile number" in output) == (2, True)
    assert world.rows(select(User.id)) == []


@pytest.mark.parametrize("password", ["", "seven77"])
def test_a_short_password_changes_nothing(app: Flask, world: World, password: str) -> None:
    person = world.user(PHONE)
    status, output = create(app, password=password)
    assert (status, "8 characters or more" in output) == (1, True)
    assert [tuple(row) for row in world.rows(select(User.id, User.role))] == [(person.id, "user")]
