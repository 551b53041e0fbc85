"""The list of all profiles, for admins."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, update

from referral_app.db import db, transaction
from referral_app.models import Session
from tests.conftest import Clock
from tests.factories import Api, Person, World

pytestmark = pytest.mark.both_databases
ADMIN = "+79031234567"


@pytest.fixture
def admin(app: Flask, api: Api, world: World, clock: Clock) -> Api:
    """The API, asked by an admin who has given the second factor."""
    mine = api(world.user(ADMIN, role="admin"))
    with app.app_context(), transaction() as session:
        session.execute(update(Session).values(second_factor_at=clock.now()))
    clock.move(minutes=1)
    return mine


@pytest.fixture
def people(admin: Api, world: World, clock: Clock) -> list[Person]:
    made: list[Person] = []
    rows: list[dict[str, Any]] = [
        {"first_name": "Анна", "last_name": "Ёлкина", "email": "Anna@Example.org", "invite_code": "AAAAAA"},
        {"first_name": "Пётр", "last_name": "О’Генри", "email": None, "invite_code": "BBBBBB"},
        {"first_name": "50% off", "last_name": "A_B", "email": "x@example.org", "invite_code": "CCCCCC"},
    ]
    for facts in rows:
        clock.move(minutes=1)
        made.append(world.user(f"+7999000000{len(made)}", **facts))
    return made


def found(admin: Api, **query: Any) -> list[int]:
    answer = admin.get("/profiles", query_string=query)
    assert answer.status_code == 200, answer.json
    return [one["id"] for one in answer.json["results"]]


def test_each_is_as_in_the_own_profile_without_the_invitees(admin: Api, api: Api, world: World) -> None:
    inviter = world.user()
    invitee = world.user(inviter=inviter)
    answer = admin.get("/profiles", query_string={"search": invitee.phone}).json
    own = api(invitee).get("/profiles/me").json
    del own["invitees"]
    assert answer == {"count": 1, "next": None, "previous": None, "results": [own]}
    assert own["inviter"] == {"phone": inviter.phone, "invite_code": inviter.invite_code}


def test_pages_lead_to_each_other_with_their_search_and_order(admin: Api, people: list[Person]) -> None:
    first = admin.get("/profiles", query_string={"search": "+7 999", "sort": "phone", "page_size": 2}).json
    assert (first["count"], first["previous"], len(first["results"])) == (3, None, 2)
    path = first["next"].removeprefix("http://127.0.0.1:8000")
    second = admin.get(path).json
    assert [one["phone"] for one in first["results"] + second["results"]] == [person.phone for person in people]
    assert second["next"] is None
    assert "search=%2B7+999" in second["previous"]
    assert "sort=phone" in second["previous"]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", [2, 1, 0]),
        ("  ", [2, 1, 0]),
        ("анна", [0]),
        ("АННА елкина", [0]),
        ("Е\u0308лкина", [0]),
        ("петр", [1]),
        ("ПЁТР", [1]),
        ("о’генри", [1]),
        ("anna@example", [0]),
        ("%", [2]),
        ("_", [2]),
        ("50%", [2]),
        ("a_b", [2]),
        ("bbb bbb", [1]),
        ("8 (999) 000-00-01", [1]),
        ("+7 999 000 00 02", [2]),
        ("0000", [2, 1, 0]),
        ("нет такого", []),
        ("\\", []),
        ("'", []),
    ],
)
def test_search_finds_the_same_on_both_databases(
    admin: Api, people: list[Person], query: str, numbers: list[int]
) -> None:
    admins_own = admin.get("/profiles/me").json["id"]
    assert [one for one in found(admin, search=query) if one != admins_own] == [people[n].id for n in numbers]


@pytest.mark.parametrize(
    ("sort", "numbers"),
    [
        ("created_at", [0, 1, 2]),
        ("-created_at", [2, 1, 0]),
        ("phone", [0, 1, 2]),
        ("-phone", [2, 1, 0]),
        ("invite_code", [0, 1, 2]),
        ("email", [0, 2, 1]),
        ("invitees_count", [0, 1, 2]),
        ("-invitees_count", [2, 1, 0]),
        ("-id", [2, 1, 0]),
    ],
)
def test_sorts_end_in_the_id_and_put_what_is_missing_last(
    admin: Api, people: list[Person], sort: str, numbers: list[int]
) -> None:
    assert found(admin, sort=sort, search="999000000") == [people[n].id for n in numbers]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"page": "-1"}, "page"),
        ({"page": "1e20"}, "page"),
        ({"page": "0"}, "page"),
        ({"page": "99999999999999999999"}, "page"),
        ({"page": "2000", "page_size": "100"}, "page"),
        ({"page_size": "101"}, "page_size"),
        ({"sort": "password_hash"}, "sort"),
        ({"sort": "--id"}, "sort"),
        ({"search": "x" * 101}, "search"),
        ({"search": "a\0b"}, "search"),
        ({"filter": "x"}, "filter"),
    ],
)
def test_bad_queries_are_told(admin: Api, query: dict[str, str], field: str) -> None:
    answer = admin.get("/profiles", query_string=query)
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])


def test_deleted_accounts_are_not_listed(admin: Api, world: World, clock: Clock) -> None:
    gone = world.user(deleted_at=clock.now())
    assert gone.id not in found(admin)
    assert admin.get("/profiles").json["count"] == 1
    assert admin.get("/profiles", query_string={"search": gone.phone}).json["count"] == 0


def test_the_number_of_statements_does_not_grow(app: Flask, admin: Api, world: World) -> None:
    def statements() -> int:
        seen: list[str] = []
        with app.app_context():
            event.listen(db.engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
            assert admin.get("/profiles?page_size=100&search=7").status_code == 200
        return len([statement for statement in seen if statement.startswith("SELECT")])

    inviter = world.user()
    few = statements()
    for _ in range(60):
        world.user(inviter=inviter)
    assert statements() == few == 3


def test_what_a_search_looked_for_is_not_logged(
    admin: Api, people: list[Person], caplog: pytest.LogCaptureFixture, change_settings: Callable[..., None]
) -> None:
    caplog.set_level("INFO")
    found(admin, search=people[0].phone)
    assert people[0].phone not in caplog.text
