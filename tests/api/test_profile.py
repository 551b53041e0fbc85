from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, update

from referral_app.db import db, transaction
from referral_app.models import User
from tests.conftest import Clock
from tests.factories import PHONE, Api, World


@contextmanager
def statements(app: Flask) -> Iterator[list[str]]:
    """Collect the statements that are executed."""
    with app.app_context():
        engine = db.engine
    seen: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


def test_a_new_profile_has_a_code_and_nothing_else_yet(api: Api, clock: Clock) -> None:
    profile = api.sign_in().get("/profiles/me").json
    assert profile.pop("id") > 0
    code = profile.pop("invite_code")
    assert len(code) == 6
    assert profile == {
        "phone": PHONE,
        "email": None,
        "first_name": None,
        "last_name": None,
        "avatar_url": None,
        "invite_url": f"http://127.0.0.1:8000/r/{code}",
        "inviter": None,
        "invitees": [],
        "invitees_count": 0,
        "created_at": clock.now().isoformat(),
    }


def test_inviter_and_invitees_see_each_others_phones(api: Api, world: World, clock: Clock) -> None:
    inviter = world.user()
    first = world.user(inviter=inviter)
    clock.move(minutes=1)
    second = world.user(inviter=inviter)
    above = api(inviter).get("/profiles/me").json
    assert [invitee["phone"] for invitee in above["invitees"]] == [second.phone, first.phone]
    assert above["invitees"][0]["invited_at"] == clock.now().isoformat()
    assert above["invitees_count"] == 2
    assert api(first).get("/profiles/me").json["inviter"] == {
        "phone": inviter.phone,
        "invite_code": inviter.invite_code,
    }


def test_an_inviter_who_is_deleted_stays_without_a_name(api: Api, app: Flask, world: World, clock: Clock) -> None:
    inviter = world.user()
    invitee = world.user(inviter=inviter)
    with app.app_context(), transaction() as session:
        session.execute(update(User).where(User.id == inviter.id).values(deleted_at=clock.now(), phone=None))
    assert api(invitee).get("/profiles/me").json["inviter"] == {"phone": None, "invite_code": None}


@pytest.mark.parametrize("number", [10, 10_000])
def test_a_profile_takes_three_statements_whatever_the_number_of_invitees(
    api: Api, app: Flask, world: World, number: int
) -> None:
    person = world.user()
    world.invitees(person, number)
    mine = api(person)
    with statements(app) as seen:
        profile = mine.get("/profiles/me").json
    assert len(profile["invitees"]) == min(number, 50)
    assert profile["invitees_count"] == number
    assert len([statement for statement in seen if not statement.startswith("BEGIN")]) <= 3


def test_invitees_come_page_by_page(api: Api, world: World) -> None:
    person = world.user()
    world.invitees(person, 120)
    mine = api(person)
    first = mine.get("/profiles/me/invitees").json
    assert (first["count"], len(first["results"]), first["previous"]) == (120, 50, None)
    assert first["next"] == "http://127.0.0.1:8000/api/v1/profiles/me/invitees?page=2&page_size=50"
    assert first["results"] == mine.get("/profiles/me").json["invitees"]
    last = mine.get("/profiles/me/invitees?page=3").json
    assert (len(last["results"]), last["next"]) == (20, None)
    small = mine.get("/profiles/me/invitees?page=2&page_size=7").json
    assert [row["phone"] for row in small["results"]] == [f"+7997{n:07}" for n in range(112, 105, -1)]
    beyond = mine.get("/profiles/me/invitees?page=9").json
    assert (beyond["results"], beyond["next"], beyond["previous"]) == ([], None, None)


@pytest.mark.parametrize(
    "query",
    ["page=0", "page=-1", "page=1e20", "page=x", "page_size=0", "page_size=101", "page=5000&page_size=50", "sort=id"],
)
def test_a_bad_page_is_422(api: Api, world: World, query: str) -> None:
    answer = api(world.user()).get(f"/profiles/me/invitees?{query}")
    assert (answer.status_code, answer.json["slug"]) == (422, "validation_failed")


def test_the_host_header_reaches_no_address(api: Api, world: World) -> None:
    person = world.user()
    world.invitees(person, 60)
    mine = api(person)
    evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    assert "evil" not in mine.get("/profiles/me", headers=evil).text
    assert "evil" not in mine.get("/profiles/me/invitees", headers=evil).text
