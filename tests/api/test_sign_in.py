"""Sign-in by the API: each answer of each route."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from referral_app.environment import Rate
from referral_app.models import Challenge, Message, User
from referral_app.models import Session as SessionRow
from referral_app.services import outbox
from tests.conftest import Clock
from tests.factories import PHONE, Api, World, wrong

OTHER = "+79161234567"


def test_a_code_is_exchanged_for_tokens_that_open_the_profile(api: Api) -> None:
    asked = api.ask("8 (999) 123-45-67")
    assert asked.status_code == 202
    assert asked.json.keys() == {"challenge_id", "phone", "code_length", "expires_in", "resend_in", "code"}
    assert asked.json["phone"] == PHONE
    assert (asked.json["code_length"], asked.json["expires_in"], asked.json["resend_in"]) == (4, 600, 60)
    answer = api.exchange(asked.json["code"], phone="89991234567")
    assert answer.status_code == 201
    assert answer.json.keys() == {"access_token", "refresh_token", "token_type", "expires_in", "created"}
    assert (answer.json["token_type"], answer.json["expires_in"], answer.json["created"]) == ("Bearer", 3600, True)
    assert api.bearer(answer.json["access_token"]).get("/profiles/me").json["phone"] == PHONE


def test_the_second_sign_in_finds_the_account(api: Api, world: World, clock: Clock) -> None:
    api.sign_in()
    clock.move(minutes=1)
    answer = api.exchange(api.ask().json["code"])
    assert answer.status_code == 200
    assert answer.json["created"] is False
    assert len(world.rows(select(User.id))) == 1


def test_known_and_unknown_phones_are_answered_alike(api: Api, world: World) -> None:
    known, unknown = api.ask(world.user().phone), api.ask(OTHER)
    assert known.status_code == unknown.status_code == 202
    assert known.json.keys() == unknown.json.keys()


def test_a_wrong_code_tells_the_tries_left_only_to_who_names_the_challenge(api: Api) -> None:
    asked = api.ask().json
    unnamed = api.exchange(wrong(asked["code"]))
    assert (unnamed.status_code, unnamed.json["slug"]) == (400, "wrong_code")
    assert "tries_left" not in unnamed.json
    named = api.exchange(wrong(asked["code"]), challenge_id=asked["challenge_id"])
    assert named.json["tries_left"] == 1
    foreign = api.exchange(wrong(asked["code"]), phone=OTHER, challenge_id=asked["challenge_id"])
    assert "tries_left" not in foreign.json


def test_the_third_wrong_code_ends_the_challenge(api: Api) -> None:
    asked = api.ask().json
    for left in (2, 1, 0):
        assert api.exchange(wrong(asked["code"]), challenge_id=asked["challenge_id"]).json["tries_left"] == left
    assert api.exchange(asked["code"]).json["slug"] == "wrong_code"


def test_never_asked_used_expired_and_wrong_get_one_and_the_same_answer(api: Api, clock: Clock) -> None:
    answers = [api.exchange("0427")]
    asked = api.ask().json
    answers.append(api.exchange(wrong(asked["code"])))
    assert api.exchange(asked["code"]).status_code == 201
    answers.append(api.exchange(asked["code"]))
    clock.move(minutes=1)
    second = api.ask().json
    clock.move(minutes=10)
    answers.append(api.exchange(second["code"]))
    assert {answer.status_code for answer in answers} == {400}
    assert len({answer.data for answer in answers}) == 1


def test_a_code_works_until_its_end(api: Api, clock: Clock) -> None:
    asked = api.ask().json
    clock.move(minutes=9, seconds=59)
    assert api.exchange(asked["code"]).status_code == 201


@pytest.mark.parametrize("code", ["12345678", "00000000"])
def test_a_code_of_the_wrong_length_takes_no_try(api: Api, code: str) -> None:
    asked = api.ask().json
    answer = api.exchange(code, challenge_id=asked["challenge_id"])
    assert (answer.status_code, answer.json["slug"], answer.json["tries_left"]) == (400, "wrong_code", 3)
    assert api.exchange(asked["code"]).status_code == 201


def test_the_same_code_goes_out_again_after_a_minute(api: Api, clock: Clock, world: World) -> None:
    first = api.ask().json
    api.exchange(wrong(first["code"]))
    clock.move(seconds=60)
    again = api.ask().json
    assert (again["code"], again["challenge_id"]) == (first["code"], first["challenge_id"])
    assert (again["expires_in"], again["resend_in"]) == (540, 60)
    assert world.challenge().attempts == 1
    assert len(world.rows(select(Message.id))) == 2


def test_sooner_is_refused_and_leaves_the_code_alone(api: Api, clock: Clock, world: World) -> None:
    first = api.ask().json
    clock.move(seconds=18)
    refused = api.ask()
    assert (refused.status_code, refused.json["slug"]) == (429, "resend_too_soon")
    assert refused.headers["Retry-After"] == "42"
    assert len(world.rows(select(Message.id))) == 1
    assert api.exchange(first["code"]).status_code == 201


def test_a_named_challenge_is_sent_again(api: Api, clock: Clock) -> None:
    first = api.ask().json
    clock.move(seconds=60)
    assert api.ask(challenge_id=first["challenge_id"]).json["challenge_id"] == first["challenge_id"]


def test_close_to_its_end_a_new_challenge_is_made_at_once(api: Api, clock: Clock) -> None:
    first = api.ask().json
    clock.move(minutes=8, seconds=1)
    second = api.ask().json
    assert second["challenge_id"] != first["challenge_id"]
    assert second["expires_in"] == 600


@pytest.mark.parametrize("end", ["used", "tries"])
def test_for_one_no_longer_live_a_new_challenge_is_made_at_once(api: Api, end: str) -> None:
    first = api.ask().json
    for _ in range(1 if end == "used" else 3):
        api.exchange(first["code"] if end == "used" else wrong(first["code"]))
    second = api.ask(challenge_id=first["challenge_id"])
    assert second.status_code == 202
    assert second.json["challenge_id"] != first["challenge_id"]


def test_sends_per_phone_are_limited_with_the_true_end_of_the_window(api: Api, clock: Clock) -> None:
    for _ in range(3):
        assert api.exchange(api.ask().json["code"]).status_code in {200, 201}
    refused = api.ask()
    assert (refused.status_code, refused.json["slug"]) == (429, "too_many_codes")
    assert refused.headers["Retry-After"] == str(14 * 60)  # the clock stands at 12:01, the window ends at 12:15
    assert api.ask(OTHER).status_code == 202
    clock.move(minutes=14)
    assert api.ask().status_code == 202


def test_a_day_has_ten_sends_and_an_hour_five(api: Api, clock: Clock) -> None:
    sent = 0
    for _ in range(24 * 4):
        while (answer := api.ask()).status_code == 202:
            sent += 1
            api.exchange(answer.json["code"])
        if clock.time.hour == 12:
            assert sent <= 5
        clock.move(minutes=15)
        if clock.time.day != 29:
            break
    assert sent == 10


def test_unsolved_requests_of_an_address_are_limited_and_solved_ones_given_back(
    api: Api, change_settings: Callable[..., None]
) -> None:
    change_settings(limit_address_requests=(Rate(3, 3600),))
    for number in range(5):
        assert api.exchange(api.ask(f"+7999000000{number}").json["code"], f"+7999000000{number}").status_code == 201
    for number in range(3):
        assert api.ask(f"+7999000001{number}").status_code == 202
    refused = api.ask("+79990000019")
    assert (refused.status_code, refused.json["slug"]) == (429, "too_many_requests")
    assert refused.headers["Retry-After"] == str(59 * 60)


def test_a_forged_forwarding_header_does_not_change_the_address(api: Api, world: World) -> None:
    api.ask()
    api.post("/auth/code", {"phone": OTHER}, headers={"X-Forwarded-For": "203.0.113.7"})
    assert {row.address for row in world.rows(select(Challenge.address))} == {"127.0.0.1"}


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "pozovi.example"},
        *({name: "1"} for name in ("X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded", "Forwarded", "Via")),
        *({name: "1"} for name in ("X-Real-Ip", "CF-Connecting-IP", "True-Client-IP", "X-Original-Host")),
    ],
)
def test_codes_are_shown_on_this_machine_alone(api: Api, headers: dict[str, str]) -> None:
    assert "code" not in api.post("/auth/code", {"phone": PHONE}, headers=headers).json


def test_codes_are_not_shown_when_that_is_switched_off(api: Api, change_settings: Callable[..., None]) -> None:
    change_settings(sms_show_codes=False)
    assert "code" not in api.ask().json


def test_the_sms_is_a_file_that_ends_with_the_line_that_binds_the_code(api: Api, app: Flask, sms_folder: Path) -> None:
    code = api.post("/auth/code", {"phone": PHONE}, headers={"Host": "evil.example"})
    with app.app_context():
        assert outbox.run_once() == 1
    (file,) = sms_folder.iterdir()
    head, _, text = file.read_text().partition("\n\n")
    assert head == f"To: {PHONE}"
    digits = re.findall(r"\b\d{4}\b", text)[0]
    assert text.rstrip().splitlines()[-1] == f"@127.0.0.1 #{digits}"
    assert api.exchange(digits, challenge_id=code.json["challenge_id"]).status_code == 201


def test_a_challenge_tells_how_it_stands_and_never_its_code(api: Api, app: Flask, clock: Clock) -> None:
    asked = api.ask().json
    path = f"/auth/challenges/{asked['challenge_id']}"
    clock.move(seconds=20)
    api.exchange(wrong(asked["code"]))
    assert api.get(path).json == {
        "state": "queued",
        "code_length": 4,
        "expires_in": 580,
        "resend_in": 40,
        "tries_left": 2,
    }
    with app.app_context():
        outbox.run_once()
    assert api.get(path).json["state"] == "delivered"
    api.exchange(asked["code"])
    assert api.get(path).json["tries_left"] == 0
    assert api.get("/auth/challenges/nobody-knows-this").status_code == 404


def test_a_challenge_of_a_browser_is_none_of_the_api(api: Api, world: World, app: Flask) -> None:
    from tests.factories import Browser

    code = Browser(app).ask()
    assert api.exchange(code).status_code == 400
    assert api.exchange(code, challenge_id=world.challenge().id).status_code == 400
    assert api.get(f"/auth/challenges/{world.challenge().id}").status_code == 404


def test_a_blocked_user_is_told_after_the_right_code(api: Api, world: World, clock: Clock) -> None:
    person = world.user(PHONE, blocked_at=clock.now())
    asked = api.ask(person.phone).json
    assert api.exchange(wrong(asked["code"])).json["slug"] == "wrong_code"
    answer = api.exchange(asked["code"])
    assert (answer.status_code, answer.json["slug"]) == (403, "account_blocked")
    assert world.rows(select(SessionRow.id)) == []


def test_log_out_ends_the_session_at_once(api: Api, world: World) -> None:
    person = world.user()
    here, elsewhere = api(person), api(person)
    assert here.post("/auth/logout").status_code == 204
    assert here.get("/profiles/me").status_code == 401
    assert here.post("/auth/logout").status_code == 401
    assert elsewhere.get("/profiles/me").status_code == 200


def test_leading_zeros_are_kept(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    # Codes are derived from the challenge's id; one that begins with zeros comes by itself once in a hundred.
    monkeypatch.setattr("referral_app.services.codes.hmac.digest", lambda *_: (42).to_bytes(32, "big"))
    asked = api.ask().json
    assert asked["code"] == "0042"
    assert api.exchange(" 00 42 ").status_code == 201


@pytest.mark.parametrize(
    ("remote", "kept"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
    ],
)
def test_an_address_is_kept_as_ipv4_or_as_the_network_of_an_ipv6_line(
    api: Api, world: World, remote: str, kept: str
) -> None:
    api.post("/auth/code", {"phone": PHONE}, environ_base={"REMOTE_ADDR": remote})
    assert world.challenge().address == kept


def test_behind_a_trusted_proxy_its_own_entry_counts(another_app: Callable[..., Flask], world: World) -> None:
    Api(another_app(trusted_proxies=1)).post(
        "/auth/code", {"phone": PHONE}, headers={"X-Forwarded-For": "198.51.100.1, 203.0.113.7"}
    )
    assert world.challenge().address == "203.0.113.7"


def test_three_hundred_people_behind_one_address_sign_in_within_an_hour(api: Api, world: World, clock: Clock) -> None:
    office = api.at("203.0.113.7")
    for number in range(300):
        phone = f"+7999{number:07}"
        asked = office.ask(phone)
        assert (asked.status_code, asked.json["code_length"]) == (202, 4)
        if number % 20 == 0:
            assert office.exchange(wrong(asked.json["code"]), phone).status_code == 400
        assert office.exchange(asked.json["code"], phone).status_code == 201
        clock.move(seconds=11)
    assert world.rows(select(func.count()).where(Challenge.used_at.is_not(None)))[0][0] == 300
    assert world.counted("site-guesses") == 0
