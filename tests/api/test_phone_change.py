from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from referral_app.models import Challenge, Message
from referral_app.services import batches, codes, messages, outbox
from tests.conftest import Clock
from tests.factories import PHONE, Api, World, wrong

NEW = "+79990000077"
NOTICES = select(Message.state).where(Message.kind == "notice")


def ask(api: Api, phone: str = NEW, **facts: Any) -> Any:
    return api.post("/profiles/me/phone", {"phone": phone, **facts})


def confirm(api: Api, code: str, phone: str = NEW, **facts: Any) -> Any:
    return api.post("/profiles/me/phone/confirm", {"phone": phone, "code": code, **facts})


def phone_of(api: Api) -> str:
    return str(api.get("/profiles/me").json["phone"])


@pytest.mark.both_databases
def test_a_new_number_takes_the_place_of_the_old(api: Api, world: World, app: Flask, sms_folder: Path) -> None:
    user = world.user(PHONE)
    me, elsewhere = api(user), api(user)
    asked = ask(me, "8 (999) 000-00-77")
    assert asked.status_code == 202
    assert asked.json["phone"] == NEW
    assert asked.json.keys() == {"challenge_id", "phone", "code_length", "expires_in", "resend_in", "code"}
    assert phone_of(me) == PHONE
    answer = confirm(me, asked.json["code"], challenge_id=asked.json["challenge_id"])
    assert (answer.status_code, answer.json["phone"], answer.json["id"]) == (200, NEW, user.id)
    assert elsewhere.get("/profiles/me").status_code == 401
    assert phone_of(me) == NEW

    with app.app_context():
        outbox.run_once()
    code, notice = [file.read_text() for file in sorted(sms_folder.glob("*.txt"))]
    assert code.startswith(f"To: {NEW}\n")
    assert asked.json["code"] in code
    assert notice == (
        f"To: {PHONE}\n\nPozovi: your number is now +7 999 ***-**-77. If that was not you, tell the organiser.\n"
    )
    # The account goes with the new number; the old one begins afresh.
    assert api.sign_in(NEW).get("/profiles/me").json["id"] == user.id
    assert api.sign_in(PHONE).get("/profiles/me").json["id"] != user.id


def test_the_code_goes_by_the_newest_challenge_where_none_is_named(api: Api, world: World) -> None:
    me = api(world.user())
    code = ask(me).json["code"]
    assert confirm(me, code).json["phone"] == NEW


def test_the_notice_is_written_in_the_language_of_the_account(
    api: Api, world: World, app: Flask, sms_folder: Path
) -> None:
    me = api(world.user(PHONE, language="ru"))
    confirm(me, ask(me).json["code"])
    with app.app_context():
        outbox.run_once()
    assert "ваш номер теперь +7 999 ***-**-77" in sorted(sms_folder.glob("*.txt"))[-1].read_text()


def test_only_a_sign_in_of_the_last_15_minutes_can_ask(api: Api, world: World, clock: Clock) -> None:
    me = api(world.user())
    clock.move(minutes=14, seconds=59)
    assert ask(me).status_code == 202
    clock.move(minutes=1, seconds=2)
    answer = ask(me)
    assert (answer.status_code, answer.json["slug"]) == (403, "sign_in_again")


def test_a_code_asked_for_in_time_can_be_entered_later(api: Api, world: World, clock: Clock) -> None:
    me = api(world.user())
    clock.move(minutes=14)
    code = ask(me).json["code"]
    clock.move(minutes=9)
    assert confirm(me, code).status_code == 200


def test_the_search_finds_the_new_number_and_the_queue_is_woken(api: Api, world: World) -> None:
    me, admin = api(world.user(PHONE)), api(world.user(role="admin"))
    assert admin.post("/auth/second-factor", {"password": "a password of the tests"}).status_code == 204
    code = ask(me).json["code"]
    woken: list[int] = []
    with messages.queued.connected_to(woken.append):
        confirm(me, code)
    assert [(number,) for number in woken] == world.rows(select(Message.id).where(Message.kind == "notice"))
    assert admin.get(f"/profiles?search={NEW[2:]}").json["count"] == 1
    assert admin.get(f"/profiles?search={PHONE[2:]}").json["count"] == 0


def test_codes_go_before_notices(api: Api, world: World, app: Flask, clock: Clock) -> None:
    me = api(world.user(PHONE))
    confirm(me, ask(me).json["code"])
    clock.move(seconds=1)
    api.ask("+79990000088")
    clock.move(seconds=1)
    with app.app_context():
        kinds = [one.kind for one in batches.take_due(clock.now())]
    assert kinds == ["code", "code", "notice"]


def test_the_last_tenth_of_all_sms_is_not_for_changes(api: Api, world: World, change_settings: Any) -> None:
    me = api(world.user())
    change_settings(sms_per_hour=10)
    for n in range(9):
        assert api.ask(f"+7916{n}000000").status_code == 202
    answer = ask(me)
    assert (answer.status_code, answer.json["slug"]) == (429, "sms_spent")
    assert api.ask("+79169000000").status_code == 202


def test_the_same_challenge_has_another_code_for_another_purpose(app: Flask) -> None:
    def code(purpose: str) -> str:
        return codes.code_for(Challenge(id="x", purpose=purpose, phone=NEW, code_length=8))

    with app.app_context():
        assert len({code(purpose) for purpose in ("sign_in", "phone_change", "participation")}) == 3


def test_the_own_number_is_refused_and_no_sms_goes(api: Api, world: World) -> None:
    me = api(world.user(PHONE))
    answer = ask(me, PHONE)
    assert (answer.status_code, answer.json["slug"]) == (409, "own_phone")
    assert world.counted("sms") == 0


@pytest.mark.parametrize(
    "phone", ["", "1", "+74951234567", "tel:+79990000077", "+79990000077;ext=1", None, 79990000077]
)
def test_a_number_that_is_no_mobile_one_is_refused(api: Api, world: World, phone: Any) -> None:
    assert ask(api(world.user()), phone).json["slug"] == "validation_failed"


def test_strangers_are_refused(api: Api) -> None:
    assert ask(api).status_code == 401
    assert confirm(api, "1234").status_code == 401


def test_wrong_codes_are_counted_and_the_fourth_is_not_compared(api: Api, world: World) -> None:
    me = api(world.user(PHONE))
    asked = ask(me).json
    for left in (2, 1, 0):
        answer = confirm(me, wrong(asked["code"]), challenge_id=asked["challenge_id"])
        assert (answer.status_code, answer.json["slug"], answer.json["tries_left"]) == (400, "wrong_code", left)
    assert confirm(me, asked["code"], challenge_id=asked["challenge_id"]).status_code == 400
    assert phone_of(me) == PHONE


def test_a_code_of_one_purpose_is_worth_nothing_for_the_other(api: Api, world: World) -> None:
    user = world.user(PHONE)
    me = api(user)
    change, sign_in = ask(me).json, api.ask(NEW).json
    assert api.exchange(change["code"], NEW, challenge_id=change["challenge_id"]).status_code == 400
    assert confirm(me, sign_in["code"], challenge_id=sign_in["challenge_id"]).status_code == 400
    assert confirm(me, change["code"], challenge_id=change["challenge_id"]).status_code == 200


def test_a_taken_number_is_told_after_the_right_code_alone(api: Api, world: World) -> None:
    user, owner = world.user(PHONE), world.user(NEW)
    me = api(user)
    asked, free = ask(me), ask(me, "+79990000078")
    assert asked.status_code == free.status_code == 202
    assert asked.json.keys() == free.json.keys()
    assert confirm(me, wrong(asked.json["code"])).json["slug"] == "wrong_code"
    answer = confirm(me, asked.json["code"])
    assert (answer.status_code, answer.json["slug"]) == (409, "phone_taken")
    assert "The organiser can help." in answer.json["detail"]
    assert phone_of(me) == PHONE
    assert phone_of(api(owner)) == NEW
    assert confirm(me, asked.json["code"]).json["slug"] == "wrong_code"


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.both_databases
def test_two_who_want_one_number_have_a_request_each(api: Api, world: World, clock: Clock, named: bool) -> None:
    anna, boris = api(world.user()), api(world.user(PHONE))
    first = ask(anna).json
    clock.move(seconds=20)
    second = ask(boris).json
    assert first["challenge_id"] != second["challenge_id"]

    def facts(asked: dict[str, Any]) -> dict[str, Any]:
        return {"challenge_id": asked["challenge_id"]} if named else {}

    for _ in range(2):
        assert confirm(boris, wrong(second["code"]), **facts(second)).json["slug"] == "wrong_code"
    # Neither the code nor the challenge of the other is any good, and no try of the other is used.
    if first["code"] != second["code"]:
        assert confirm(boris, first["code"], challenge_id=first["challenge_id"]).json["slug"] == "wrong_code"
    assert api.get(f"/auth/challenges/{first['challenge_id']}").json["tries_left"] == 3
    assert api.get(f"/auth/challenges/{second['challenge_id']}").json["tries_left"] == 1
    assert confirm(anna, first["code"], **facts(first)).json["phone"] == NEW
    answer = confirm(boris, second["code"], **facts(second))
    assert (answer.status_code, answer.json["slug"]) == (409, "phone_taken")
    assert phone_of(boris) == PHONE


def test_where_no_sms_may_go_nothing_changes_and_the_code_stays_good(
    api: Api, world: World, change_settings: Any, clock: Clock
) -> None:
    user = world.user(PHONE)
    me, elsewhere = api(user), api(user)
    change_settings(sms_per_hour=1)
    code = ask(me).json["code"]
    answer = confirm(me, code)
    assert (answer.status_code, answer.json["slug"]) == (429, "sms_spent")
    assert phone_of(elsewhere) == PHONE
    change_settings(sms_per_hour=2)
    assert confirm(me, code).json["phone"] == NEW


def test_a_resend_is_the_same_code_and_too_soon_within_a_minute(api: Api, world: World, clock: Clock) -> None:
    me = api(world.user())
    first = ask(me).json
    answer = ask(me)
    assert (answer.status_code, answer.json["slug"]) == (429, "resend_too_soon")
    clock.move(seconds=60)
    again = ask(me).json
    assert (again["challenge_id"], again["code"]) == (first["challenge_id"], first["code"])


def test_codes_are_not_in_the_answer_where_they_are_not_shown(api: Api, world: World, change_settings: Any) -> None:
    change_settings(sms_show_codes=False)
    assert "code" not in ask(api(world.user())).json


def test_an_inviter_sees_the_new_number(api: Api, world: World) -> None:
    inviter = world.user()
    invitee = api(world.user(inviter=inviter))
    confirm(invitee, ask(invitee).json["code"])
    assert [one["phone"] for one in api(inviter).get("/profiles/me").json["invitees"]] == [NEW]


def test_a_notice_that_could_not_go_for_a_day_ends(api: Api, world: World, app: Flask, clock: Clock) -> None:
    me = api(world.user(PHONE))
    confirm(me, ask(me).json["code"])
    clock.move(seconds=timedelta(days=1).total_seconds())
    with app.app_context():
        outbox.run_once()
    assert [state for (state,) in world.rows(NOTICES)] == ["expired"]
