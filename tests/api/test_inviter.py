import pytest
from flask import Flask
from sqlalchemy import select, update

from referral_app.db import transaction
from referral_app.models import User
from tests.conftest import Clock
from tests.factories import Api, Person, World

INVITER = "/profiles/me/inviter"


def test_an_inviter_is_named_and_both_sides_show_it(api: Api, world: World) -> None:
    inviter, invitee = world.user(), world.user()
    answer = api(invitee).post(INVITER, {"invite_code": inviter.invite_code})
    assert answer.status_code == 200
    assert answer.json["inviter"] == {"phone": inviter.phone, "invite_code": inviter.invite_code}
    assert api(inviter).get("/profiles/me").json["invitees_count"] == 1


def test_a_code_is_read_as_people_type_it(api: Api, world: World) -> None:
    inviter = world.user()
    typed = f" {inviter.invite_code[:3].lower()}-{inviter.invite_code[3:].lower()} "
    assert api(world.user()).post(INVITER, {"invite_code": typed}).status_code == 200


@pytest.mark.parametrize("code", ["ZZZZZZ", "nonsense", "7KMO1X", "💥", " "])
def test_an_unknown_code_is_404(api: Api, world: World, code: str) -> None:
    answer = api(world.user()).post(INVITER, {"invite_code": code})
    assert (answer.status_code, answer.json["slug"]) == (404, "unknown_invite_code")


def test_the_code_of_a_deleted_account_is_unknown(api: Api, app: Flask, world: World, clock: Clock) -> None:
    gone = world.user()
    with app.app_context(), transaction() as session:
        session.execute(update(User).where(User.id == gone.id).values(deleted_at=clock.now(), phone=None))
    assert api(world.user()).post(INVITER, {"invite_code": gone.invite_code}).status_code == 404


def test_a_second_inviter_is_refused_and_the_first_stays(api: Api, world: World) -> None:
    inviter, other, invitee = world.user(), world.user(), world.user()
    mine = api(invitee)
    mine.post(INVITER, {"invite_code": inviter.invite_code})
    for code in (other.invite_code, inviter.invite_code):
        answer = mine.post(INVITER, {"invite_code": code})
        assert (answer.status_code, answer.json["slug"]) == (409, "inviter_already_set")
    assert mine.get("/profiles/me").json["inviter"]["phone"] == inviter.phone
    assert api(other).get("/profiles/me").json["invitees_count"] == 0


def test_own_code_is_refused(api: Api, world: World) -> None:
    person = world.user()
    answer = api(person).post(INVITER, {"invite_code": person.invite_code})
    assert (answer.status_code, answer.json["slug"]) == (409, "own_invite_code")


def refuses_cycle(api: Api, world: World, first: Person, last: Person) -> None:
    answer = api(first).post(INVITER, {"invite_code": last.invite_code})
    assert (answer.status_code, answer.json["slug"]) == (409, "invite_cycle")
    assert world.rows(select(User.inviter_id).where(User.id == first.id))[0].inviter_id is None


def test_somebody_i_invited_cannot_become_my_inviter(api: Api, world: World) -> None:
    inviter = world.user()
    refuses_cycle(api, world, inviter, world.user(inviter=inviter))


def test_the_end_of_a_chain_of_2000_cannot_become_its_beginning(api: Api, world: World) -> None:
    first, last = world.chain(2000)
    refuses_cycle(api, world, first, last)


@pytest.mark.parametrize(
    "body", [{}, {"invite_code": None}, {"invite_code": 7}, {"invite_code": ""}, {"invite_code": "A" * 65}]
)
def test_a_body_without_a_usable_code_is_422(api: Api, world: World, body: dict[str, object]) -> None:
    answer = api(world.user()).post(INVITER, body)
    assert (answer.status_code, answer.json["errors"].keys()) == (422, {"invite_code"})
