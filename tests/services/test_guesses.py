"""The ration of guesses: where it is spent, the next code has 8 digits."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from referral_app.environment import Rate
from referral_app.models import Guess
from referral_app.services import outbox
from tests.conftest import Clock
from tests.factories import PHONE, Api, Browser, World, wrong

pytestmark = pytest.mark.both_databases
OTHER = "+79161234567"


@pytest.fixture(autouse=True)
def _many_sends(change_settings: Callable[..., None]) -> None:
    """Let the ration alone be what ends guessing."""
    change_settings(limit_phone_sends=(Rate(1000, 3600),), limit_block_sends=(Rate(1000, 3600),))


def guess(api: Api, times: int = 3, phone: str = PHONE) -> Any:
    """Ask for a code and guess wrong; return what was asked."""
    asked = api.ask(phone).json
    for _ in range(times):
        api.exchange(wrong(asked["code"]), phone, challenge_id=asked["challenge_id"])
    return asked


def spend(api: Api, phone: str = PHONE) -> None:
    for _ in range(3):
        assert guess(api, phone=phone)["code_length"] == 4


def test_after_nine_guesses_at_a_phone_the_next_code_has_eight_digits_in_both_doors(
    api: Api, app: Flask, sms_folder: Path
) -> None:
    spend(api)
    with app.app_context():
        outbox.run_once()
    for file in sms_folder.iterdir():
        file.unlink()
    asked = api.ask().json
    assert (asked["code_length"], len(asked["code"])) == (8, 8)
    with app.app_context():
        outbox.run_once()
    (sms,) = sms_folder.iterdir()
    assert re.findall(r"\b\d{8}\b", sms.read_text()) == [asked["code"]] * 2
    assert api.exchange(asked["code"]).status_code == 201
    browser = Browser(app)
    code = browser.ask()
    assert len(code) == 8
    assert browser.post("/sign-in/code", {"code": f"{code[:4]} {code[4:]}"}).location == "/profile"
    assert api.ask(OTHER).json["code_length"] == 4


def test_a_short_code_for_a_long_challenge_takes_no_try(api: Api, world: World) -> None:
    spend(api)
    asked = api.ask().json
    answer = api.exchange(asked["code"][:4], challenge_id=asked["challenge_id"])
    assert (answer.json["slug"], answer.json["tries_left"]) == ("wrong_code", 3)


def test_codes_that_can_still_be_guessed_count_in_full_until_they_end(app: Flask, clock: Clock) -> None:
    assert [len(Browser(app).ask()) for _ in range(4)] == [4, 4, 4, 8]
    clock.move(minutes=10)
    assert [len(Browser(app).ask()) for _ in range(4)] == [4, 4, 4, 8]


def test_slips_of_the_browser_that_asked_do_not_count_when_it_signs_in(app: Flask, clock: Clock) -> None:
    for _ in range(8):
        browser = Browser(app)
        code = browser.ask()
        assert len(code) == 4
        for _ in range(2):
            browser.post("/sign-in/code", {"code": wrong(code)})
        assert browser.post("/sign-in/code", {"code": code}).location == "/profile"


def test_wrong_guesses_at_a_code_of_the_api_count_also_when_it_is_solved(api: Api, clock: Clock) -> None:
    for _ in range(3):
        asked = guess(api, 2)
        assert asked["code_length"] == 4
        assert api.exchange(asked["code"]).status_code in {200, 201}
    assert guess(api, 1)["code_length"] == 4
    clock.move(minutes=10)
    assert guess(api, 0)["code_length"] == 8


def test_the_ration_is_back_after_45_days_and_not_a_moment_sooner(api: Api, clock: Clock) -> None:
    spend(api)
    clock.move(days=45, minutes=9, seconds=59)
    assert api.ask().json["code_length"] == 8
    clock.move(minutes=10)
    assert api.ask().json["code_length"] == 4


def test_guesses_at_long_codes_take_nothing_from_the_ration(api: Api, clock: Clock) -> None:
    spend(api)
    for _ in range(5):
        clock.move(days=9)
        assert guess(api)["code_length"] == 8
    clock.move(minutes=11)
    assert api.ask().json["code_length"] == 4


def test_an_ended_code_keeps_what_was_guessed_at_it(api: Api, clock: Clock) -> None:
    for _ in range(4):
        guess(api, 2)
        clock.move(minutes=10)
    assert api.ask().json["code_length"] == 8


def test_an_address_with_twenty_wrong_guesses_gets_long_codes_until_the_hour_is_over(api: Api, clock: Clock) -> None:
    here, elsewhere = api.at("203.0.113.7"), api.at("203.0.113.8")
    for number in range(10):
        assert guess(here, 2, f"+7999{number:03}0000")["code_length"] == 4
    assert here.ask(OTHER).json["code_length"] == 8
    assert elsewhere.ask("+79031234567").json["code_length"] == 4
    clock.move(minutes=59)
    assert here.ask("+79051234567").json["code_length"] == 4


@pytest.mark.parametrize(("solver", "left"), [("203.0.113.7", 0), ("203.0.113.8", 2)])
def test_slips_are_given_back_to_the_address_that_solves_the_code(
    api: Api, world: World, solver: str, left: int
) -> None:
    asked = guess(api.at("203.0.113.7"), 2)
    assert world.counted("address-guesses", "203.0.113.7", 3600) == world.counted("site-guesses") == 2
    assert api.at(solver).exchange(asked["code"]).status_code == 201
    assert world.counted("address-guesses", "203.0.113.7", 3600) == world.counted("site-guesses") == left
    assert len(world.rows(select(Guess.id))) == left


def test_what_is_given_back_was_counted_in_its_own_hour_and_day(api: Api, world: World, clock: Clock) -> None:
    clock.move(hours=11, minutes=57)
    asked = guess(api, 2)
    clock.move(minutes=5)
    assert api.exchange(asked["code"]).status_code == 201
    assert world.counted("site-guesses") == 0
    clock.move(minutes=-5)
    assert world.counted("address-guesses", "127.0.0.1", 3600) == world.counted("site-guesses") == 0


def test_when_the_whole_site_is_guessed_at_short_codes_close(api: Api, app: Flask, world: World, clock: Clock) -> None:
    before, browser = api.ask().json, Browser(app)
    code = browser.ask(OTHER)
    world.count("site-guesses", 80)
    assert api.exchange(wrong(before["code"]), challenge_id=before["challenge_id"]).json["tries_left"] == 2
    refused = api.exchange(before["code"], challenge_id=before["challenge_id"])
    assert (refused.status_code, refused.json["slug"], refused.json["tries_left"]) == (400, "wrong_code", 0)
    assert api.exchange(before["code"]).status_code == 400
    page = browser.post("/sign-in/code", {"code": code})
    assert (page.status_code, "Short codes are closed for now" in page.text) == (422, True)
    asked = api.ask()
    assert (asked.status_code, asked.json["code_length"]) == (202, 8)
    assert asked.json["challenge_id"] != before["challenge_id"]
    assert api.exchange(asked.json["code"]).status_code == 201
    assert len(browser.ask(OTHER)) == 8
    clock.move(hours=12)
    assert api.ask("+79031234567").json["code_length"] == 4


def test_thirty_days_have_their_own_sum(api: Api, world: World, clock: Clock) -> None:
    for days in (1, 10, 29):
        world.count("site-guesses", 80, days)
    assert api.ask().json["code_length"] == 4
    world.count("site-guesses", 1)
    assert api.ask(OTHER).json["code_length"] == 8
    clock.move(days=1)
    assert api.ask(OTHER).json["code_length"] == 4


@pytest.mark.parametrize(("sign_ins", "digits"), [(8_100, 4), (8_000, 8)])
def test_a_busy_site_may_have_one_slip_for_a_hundred_sign_ins_of_the_day_before(
    api: Api, world: World, sign_ins: int, digits: int
) -> None:
    world.count("sign-ins", sign_ins, 1)
    world.count("site-guesses", 81)
    assert api.ask().json["code_length"] == digits


def test_sign_ins_are_counted(api: Api, app: Flask, world: World) -> None:
    api.sign_in()
    Browser(app).sign_in(OTHER)
    api.exchange("0000")
    assert world.counted("sign-ins") == 2


@pytest.mark.parametrize(
    ("name", "rule"),
    [("phone", "phone-guesses"), ("address", "address-guesses"), ("site", "site-guesses")],
)
def test_long_codes_are_counted_as_a_limit_that_fired(
    api: Api, world: World, fired: Callable[[], dict[str, int]], name: str, rule: str
) -> None:
    if name == "phone":
        spend(api)
    elif name == "address":
        for number in range(7):
            guess(api, 3, f"+7999{number:03}0000")
    else:
        world.count("site-guesses", 81)
    assert fired() == {}
    api.ask()
    assert fired() == {rule: 1}
