"""Limits in pages: the time when it goes on, what was typed, and long codes."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from referral_app.environment import Rate
from referral_app.models import Message
from tests.conftest import Clock
from tests.factories import PHONE, Browser, World, plain, wrong

INVITER = "/profile/inviter"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"limit_phone_sends": (Rate(1, 3600),)}, "Too many codes went to this number."),
        ({"limit_address_requests": (Rate(1, 3600),)}, "Too many requests came from your address."),
        ({"limit_block_sends": (Rate(1, 3600),)}, "Too many codes went to numbers like this one"),
        ({"sms_per_hour": 1}, "The site has sent all the SMS that it may for now."),
    ],
)
def test_each_limit_tells_its_time_keeps_what_was_typed_and_sends_nothing(
    app: Flask, world: World, clock: Clock, change_settings: Callable[..., None], change: Any, sentence: str
) -> None:
    change_settings(**change)
    Browser(app).ask()
    page = Browser(app).post("/sign-in", {"phone": "8 (999) 123-45-67"})
    assert (page.status_code, page.headers["Retry-After"]) == (429, str(59 * 60))
    assert sentence in page.text
    assert "The next code can be sent at 16:00." in plain(page.text)
    assert 'datetime="2026-11-29T13:00:00+00:00" data-local="time"' in page.text
    assert 'value="8 (999) 123-45-67"' in page.text
    assert len(world.rows(select(Message.id))) == 1


def test_a_time_of_tomorrow_comes_with_its_day(app: Flask, clock: Clock, change_settings: Callable[..., None]) -> None:
    change_settings(limit_phone_sends=(Rate(1, 86400),))
    Browser(app).ask()
    page = Browser(app).post("/sign-in", {"phone": PHONE})
    assert "The next code can be sent at 30\u00a0November, 03:00." in plain(page.text)


def test_the_field_of_a_long_code_has_eight_places(browser: Browser, world: World) -> None:
    assert browser.get("/sign-in/code").location == "/"
    browser.ask()
    short = browser.get("/sign-in/code").text
    assert (short.count("<i></i>"), "Four digits" in short, "Eight digits" in short) == (4, True, False)
    world.count("site-guesses", 81)
    closed = browser.get("/sign-in/code").text
    assert "Short codes are closed for now" in closed
    assert 'id="code"' not in closed
    assert browser.post("/sign-in", {"phone": PHONE}).location == "/sign-in/code"
    long = browser.get("/sign-in/code").text
    assert (long.count("<i></i>"), "Four digits" in long, "Eight digits" in long) == (8, False, True)


def test_a_wrong_long_code_is_told_like_a_short_one(browser: Browser, world: World) -> None:
    world.count("site-guesses", 81)
    code = browser.ask()
    page = browser.post("/sign-in/code", {"code": wrong(code)})
    assert "2\u00a0tries left" in page.text
    assert 'aria-describedby="code-hint code-error"' in page.text
    assert browser.post("/sign-in/code", {"code": code}).location == "/profile"


def test_wrong_invite_codes_are_rationed_with_a_time_and_the_typed_code_is_kept(browser: Browser, world: World) -> None:
    owner = world.user()
    browser.sign_in()
    for _ in range(10):
        assert browser.post(INVITER, {"invite_code": "ZZZZZZ"}).status_code == 422
    page = browser.post(INVITER, {"invite_code": owner.invite_code})
    assert (page.status_code, page.headers["Retry-After"]) == (429, str(11 * 3600 + 59 * 60))
    assert "The next one can be entered at 30\u00a0November, 03:00." in plain(page.text)
    assert f'value="{owner.invite_code}"' in page.text
    assert "You were invited by" not in browser.get("/profile").text


def test_a_carried_invitation_outlives_a_spent_ration(browser: Browser, world: World, clock: Clock) -> None:
    owner = world.user()
    browser.sign_in()
    for _ in range(10):
        browser.post(INVITER, {"invite_code": "ZZZZZZ"})
    browser.get(f"/r/{owner.invite_code}")
    assert browser.post(INVITER, {"invite_code": owner.invite_code}).status_code == 429
    assert f'name="invite_code" value="{owner.invite_code}"' in browser.get("/profile").text
    clock.move(hours=12)
    assert browser.post(INVITER, {"invite_code": owner.invite_code}).location == "/profile"


def test_opening_links_takes_nothing_from_the_ration_of_invite_codes(browser: Browser, world: World) -> None:
    owner = world.user()
    browser.sign_in()
    for _ in range(600):
        assert browser.get("/r/ZZZZZZ").status_code == 404
    assert browser.post(INVITER, {"invite_code": owner.invite_code}).location == "/profile"
