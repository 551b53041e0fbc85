"""Known browsers: strangers cannot use up the sends of whoever has signed in there before."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.conftest import Clock
from tests.factories import PHONE, Api, Browser, World

OTHER = "+79161234567"


def cookie(browser: Browser) -> Any:
    return browser.client.get_cookie("known")


def use_up(api: Api, clock: Clock) -> None:
    """Let strangers send all that a day has for the phone."""
    while int(api.ask().headers.get("Retry-After", 0)) < 2 * 3600:
        clock.move(minutes=11)


def test_from_a_known_browser_the_owner_signs_in_while_strangers_use_up_the_day(
    api: Api, browser: Browser, app: Flask, clock: Clock
) -> None:
    browser.sign_in()
    browser.post("/sign-out")
    use_up(api, clock)
    assert Browser(app).post("/sign-in", {"phone": PHONE}).status_code == 429
    assert browser.sign_in().status_code == 200


def test_strangers_cannot_use_up_the_block_of_a_known_browser_either(api: Api, browser: Browser, app: Flask) -> None:
    browser.sign_in()
    browser.post("/sign-out")
    for number in range(20):
        api.ask(f"{PHONE[:-4]}{number:04}")
    assert Browser(app).post("/sign-in", {"phone": PHONE}).status_code == 429
    assert browser.sign_in().status_code == 200


def test_a_known_browser_has_a_limit_of_its_own(browser: Browser, clock: Clock) -> None:
    browser.sign_in()
    for _ in range(3):
        browser.post("/sign-out")
        browser.sign_in()
    browser.post("/sign-out")
    assert browser.post("/sign-in", {"phone": PHONE}).status_code == 429
    clock.move(minutes=14)
    assert browser.post("/sign-in", {"phone": PHONE}).status_code == 303


def test_each_known_browser_has_its_own(app: Flask, browser: Browser, clock: Clock) -> None:
    other = Browser(app)
    for one in (browser, other):
        one.sign_in()
        one.post("/sign-out")
    for _ in range(3):
        browser.sign_in()
        browser.post("/sign-out")
    assert browser.post("/sign-in", {"phone": PHONE}).status_code == 429
    assert other.post("/sign-in", {"phone": PHONE}).status_code == 303


def test_a_known_browser_gives_back_nothing_that_strangers_have_used_up(
    api: Api, browser: Browser, world: World
) -> None:
    browser.sign_in()
    browser.post("/sign-out")
    for number in range(5):
        api.ask(f"{PHONE[:-4]}{number:04}")
    browser.sign_in()
    assert world.counted("block-sends", PHONE[:-4], 3600) == 5


def test_it_is_known_for_its_own_phones_alone(browser: Browser, api: Api, clock: Clock) -> None:
    browser.sign_in(OTHER)
    browser.post("/sign-out")
    use_up(api, clock)
    assert browser.post("/sign-in", {"phone": PHONE}).status_code == 429


def test_the_last_five_phones_of_a_browser_are_kept(browser: Browser, api: Api, clock: Clock) -> None:
    for number in range(6):
        browser.sign_in(f"+7999000{number:04}")
        browser.post("/sign-out")
    assert browser.client.get_cookie("known") is not None
    for number, status in ((0, 429), (1, 303), (5, 303)):
        phone = f"+7999000{number:04}"
        for _ in range(3):
            api.exchange(api.ask(phone).json.get("code", "0000"), phone)
        assert browser.post("/sign-in", {"phone": phone}).status_code == status


def test_it_is_known_for_180_days(browser: Browser, api: Api, clock: Clock) -> None:
    browser.sign_in()
    browser.post("/sign-out")
    kept = cookie(browser)
    assert kept.max_age == 180 * 86400
    clock.move(days=180)
    use_up(api, clock)
    browser.client.set_cookie("known", kept.value)
    assert browser.post("/sign-in", {"phone": PHONE}).status_code == 429


@pytest.mark.parametrize("value", ["", "nonsense", "eyJpZCI6ImEiLCJwaG9uZXMiOnt9fQ.AAAA", "e30.x", "\u00fc"])
def test_a_forged_cookie_makes_nobody_known(api: Api, browser: Browser, clock: Clock, value: str) -> None:
    use_up(api, clock)
    browser.client.set_cookie("known", value)
    assert browser.post("/sign-in", {"phone": PHONE}).status_code == 429


def test_a_cookie_of_another_use_makes_nobody_known(api: Api, browser: Browser, clock: Clock, world: World) -> None:
    browser.get(f"/r/{world.user().invite_code}")
    running: Any = browser.client.get_cookie("session")
    use_up(api, clock)
    browser.client.set_cookie("known", running.value)
    assert browser.post("/sign-in", {"phone": PHONE}).status_code == 429


def test_the_cookie_is_out_of_reach_of_scripts_and_holds_no_phone(
    another_app: Callable[..., Flask], browser: Browser
) -> None:
    browser.sign_in()
    kept = cookie(browser)
    assert (kept.http_only, kept.same_site, kept.secure, kept.path) == (True, "Lax", False, "/")
    assert "9991234567" not in kept.value
    secure = another_app(site_url="https://pozovi.example").test_client()
    form = {"base_url": "https://localhost", "headers": {"Sec-Fetch-Site": "same-origin"}}
    secure.post("/sign-in", data={"phone": OTHER}, **form)
    code = re.findall(r'class="mono big">([0-9]+)<', secure.get("/sign-in/code", base_url="https://localhost").text)[0]
    answer = secure.post("/sign-in/code", data={"code": code}, **form)
    (set_cookie,) = [line for line in answer.headers.getlist("Set-Cookie") if line.startswith("known=")]
    assert "Secure" in set_cookie


def test_a_wrong_code_makes_nobody_known(browser: Browser) -> None:
    browser.ask()
    browser.post("/sign-in/code", {"code": "00000000"})
    assert cookie(browser) is None
