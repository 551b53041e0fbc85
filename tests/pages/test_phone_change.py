import re
from typing import Any

import pytest
from flask import Flask

from referral_app.services import phones
from tests.conftest import Clock
from tests.factories import PHONE, Api, Browser, World, wrong

NEW = "+79990000077"


def ask(browser: Browser, phone: str = NEW) -> str:
    """Ask for the code; return the one that the page shows."""
    assert browser.post("/profile/phone", {"phone": phone}).location == "/profile/phone/code"
    shown = re.search(r'class="mono big">([0-9]+)<', browser.get("/profile/phone/code").text)
    assert shown is not None
    return shown[1]


def confirm(browser: Browser, code: str) -> Any:
    return browser.post("/profile/phone/code", {"code": code})


def test_the_number_is_changed_by_the_code_and_told(browser: Browser) -> None:
    browser.sign_in()
    code = ask(browser)
    page = browser.get("/profile/phone/code").text
    assert "+7 999 000-00-77" in page
    assert 'hx-get="/profile/phone/sms?shown=queued"' in page
    assert browser.get("/profile/phone/sms?shown=queued").status_code == 204
    assert browser.get("/profile/phone/sms?shown=sent").status_code == 200
    refused = confirm(browser, wrong(code))
    assert refused.status_code == 422
    assert "2\u00a0tries left" in refused.text
    assert "Enter the digits of the code alone." in confirm(browser, "12").text
    assert confirm(browser, code).location == "/profile"
    page = browser.get("/profile").text
    assert "Your number is changed." in page
    assert "+7 999 000-00-77" in page
    # A second post of the same, a reload and a step back find it changed.
    assert confirm(browser, code).location == "/profile"
    assert browser.get("/profile/phone/code").location == "/profile"
    assert browser.get("/profile/phone").location == "/profile"


def test_the_browser_is_known_for_the_new_number(browser: Browser, world: World, clock: Clock) -> None:
    browser.sign_in()
    confirm(browser, ask(browser))
    browser.post("/sign-out")
    clock.move(seconds=1)
    browser.ask(NEW)
    assert world.challenge().known


def test_a_double_click_ends_on_the_profile(browser: Browser) -> None:
    browser.sign_in()
    code = ask(browser)
    cookie = browser.client.get_cookie("session")
    assert cookie is not None
    assert confirm(browser, code).location == "/profile"
    browser.client.set_cookie("session", cookie.value)  # the one that the second click was sent with
    assert confirm(browser, code).location == "/profile"


def test_a_taken_number_is_told_on_the_profile(browser: Browser, world: World) -> None:
    world.user(NEW)
    browser.sign_in()
    answer = confirm(browser, ask(browser))
    assert answer.status_code == 422
    assert "This number belongs to another account. The organiser can help." in answer.text
    assert 'name="phone" type="tel" autocomplete="tel" value="+7 999 000-00-77"' in answer.text
    assert "+7 999 123-45-67" in browser.get("/profile").text
    assert browser.get("/profile/phone/code").location == "/profile"


@pytest.mark.parametrize(
    ("phone", "sentence"),
    [("12", "Enter a mobile number"), ("", "Enter a mobile number"), (PHONE, "your number already")],
)
def test_an_error_stands_at_the_field_with_what_was_typed(browser: Browser, phone: str, sentence: str) -> None:
    browser.sign_in()
    answer = browser.post("/profile/phone", {"phone": phone})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert f'name="phone" type="tel" autocomplete="tel" value="{phone}"' in answer.text
    assert "<details open>" in answer.text


def test_after_15_minutes_the_page_asks_to_sign_in_again(browser: Browser, clock: Clock) -> None:
    browser.sign_in()
    assert 'action="/profile/phone"' in browser.get("/profile").text
    clock.move(minutes=15, seconds=1)
    page = browser.get("/profile").text
    assert "Your sign-in is older than 15 minutes." in page
    assert 'action="/profile/phone"' not in page
    answer = browser.post("/profile/phone", {"phone": NEW})
    assert answer.status_code == 422
    assert "Your sign-in is older than 15 minutes." in answer.text


def test_a_form_that_was_open_too_long_says_so_and_keeps_the_number(browser: Browser, clock: Clock) -> None:
    browser.sign_in()
    clock.move(minutes=16)
    page = browser.post("/profile/phone", {"phone": "8 999 000-00-77"}).text
    assert 'role="alert"><span>This needs a sign-in within the last 15 minutes. Sign in again. 8 999 000-00-77' in page
    assert '<button class="button" autofocus>Sign out to sign in again' in page


def test_a_resend_after_15_minutes_leaves_the_code_page_as_it_is(browser: Browser, clock: Clock) -> None:
    browser.sign_in()
    clock.move(minutes=14)
    code = ask(browser)
    clock.move(minutes=2)
    answer = browser.post("/profile/phone", {"phone": NEW})
    assert answer.status_code == 422
    assert "This needs a sign-in within the last 15 minutes." in answer.text
    assert 'id="code"' in answer.text
    assert confirm(browser, code).location == "/profile"


def test_a_spent_limit_gives_its_time(browser: Browser, clock: Clock) -> None:
    browser.sign_in()
    for _ in range(3):
        ask(browser)
        clock.move(minutes=1)
    answer = browser.post("/profile/phone", {"phone": NEW})
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert "The next code can be sent at" in answer.text


def test_a_code_for_the_new_number_signs_nobody_in(browser: Browser) -> None:
    browser.sign_in()
    code = ask(browser)
    with browser.client.session_transaction() as cookie:
        del cookie["token"]  # what an ended session leaves
    assert browser.get("/profile/phone/code").location == "/"
    assert browser.post("/sign-in/code", {"code": code}).location == "/"
    assert browser.get("/sign-in/code").location == "/"


def test_two_posts_at_once_both_end_on_the_profile(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    browser.sign_in()
    code = ask(browser)
    confirm_service = phones.confirm

    def beaten(*args: Any, **facts: Any) -> None:
        confirm_service(*args, **facts)  # the other post, which was faster
        confirm_service(*args, **facts)

    monkeypatch.setattr(phones, "confirm", beaten)
    assert confirm(browser, code).location == "/profile"


def test_where_no_sms_may_go_the_page_tells_the_time(browser: Browser, change_settings: Any, clock: Clock) -> None:
    browser.sign_in()
    code = ask(browser)
    change_settings(sms_per_hour=2)
    answer = confirm(browser, code)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert "SMS go out again at" in answer.text
    assert f'value="{code}" required' in answer.text
    change_settings(sms_per_hour=3)
    assert confirm(browser, code).location == "/profile"


def test_a_code_page_whose_phone_was_deleted_leads_on(browser: Browser, app: Flask, api: Api) -> None:
    owner = api.sign_in()
    other = Browser(app)
    other.ask()
    owner.open("DELETE", "/profiles/me")
    assert other.get("/sign-in/code").location == "/"
    assert other.post("/sign-in/code", {"code": "1234"}).location == "/"
    assert other.get("/sign-in/sms").status_code == 204
