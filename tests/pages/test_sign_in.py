"""Sign-in in the browser, without JavaScript."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from referral_app.db import transaction
from referral_app.environment import Rate
from referral_app.models import Message, User
from referral_app.models import Session as SessionRow
from referral_app.services import outbox
from tests.conftest import Clock
from tests.factories import PHONE, Browser, World, plain, wrong


def sms_sent(world: World) -> int:
    return len(world.rows(select(Message.id)))


def test_phone_code_profile(browser: Browser) -> None:
    assert browser.get("/").status_code == 200
    asked = browser.post("/sign-in", {"phone": "8 999 123-45-67"})
    assert (asked.status_code, asked.location) == (303, "/sign-in/code")
    page = browser.get("/sign-in/code")
    assert "+7 999 123-45-67" in page.text
    code = re.findall(r'class="mono big">(\d{4})<', page.text)[0]
    signed_in = browser.post("/sign-in/code", {"code": code})
    assert (signed_in.status_code, signed_in.location) == (303, "/profile")
    profile = browser.get("/profile")
    assert "You are in." in profile.text
    assert "You are in." not in browser.get("/profile").text


def test_a_phone_that_cannot_be_used_is_shown_again_with_a_sentence(browser: Browser, world: World) -> None:
    page = browser.post("/sign-in", {"phone": '8 495 <b>"123'})
    assert page.status_code == 422
    assert 'value="8 495 &lt;b&gt;&#34;123"' in page.text
    assert 'aria-invalid="true"' in page.text
    assert "<title>Error: Sign in" in page.text
    assert sms_sent(world) == 0


@pytest.mark.parametrize("typed", [" 00 42 ", "0042", "00\u00a042"])
def test_a_code_is_taken_as_it_is_pasted(browser: Browser, monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    monkeypatch.setattr("referral_app.services.codes.hmac.digest", lambda *_: (42).to_bytes(32, "big"))
    assert browser.ask() == "0042"
    assert browser.post("/sign-in/code", {"code": typed}).location == "/profile"


@pytest.mark.parametrize("typed", ["Код: 0042", "", "42", "４２３１"])
def test_what_is_no_code_gets_a_sentence_and_takes_no_try(browser: Browser, world: World, typed: str) -> None:
    browser.ask()
    page = browser.post("/sign-in/code", {"code": typed})
    assert page.status_code == 422
    assert "Enter the digits of the code alone." in page.text
    assert f'value="{typed}" required' in page.text
    assert world.challenge().attempts == 0


def test_a_wrong_code_tells_the_tries_left_and_the_third_ends_it(browser: Browser) -> None:
    code = browser.ask()
    assert "2\u00a0tries left" in browser.post("/sign-in/code", {"code": wrong(code)}).text
    page = browser.post("/sign-in/code", {"code": wrong(code)}).text
    assert "1\u00a0try left" in page
    assert 'value="" required' in page
    last = browser.post("/sign-in/code", {"code": wrong(code)})
    assert last.status_code == 422
    assert "The tries are used up" in last.text
    assert "Get a new code" in last.text
    assert "The tries are used up" in browser.post("/sign-in/code", {"code": code}).text


def test_an_expired_code_keeps_the_phone_for_a_new_one(browser: Browser, clock: Clock) -> None:
    code = browser.ask()
    clock.move(minutes=10)
    page = browser.post("/sign-in/code", {"code": code})
    assert (page.status_code, "The code is too old" in page.text) == (422, True)
    assert f'name="phone" value="{PHONE}"' in page.text
    assert browser.post("/sign-in", {"phone": PHONE}).location == "/sign-in/code"
    assert "The code is too old" not in browser.get("/sign-in/code").text


def test_the_phone_form_sent_again_within_a_minute_sends_nothing(browser: Browser, world: World, clock: Clock) -> None:
    code = browser.ask()
    for _ in range(10):
        clock.move(seconds=5)
        assert browser.post("/sign-in", {"phone": PHONE}).location == "/sign-in/code"
    assert sms_sent(world) == 1
    clock.move(seconds=10)
    browser.post("/sign-in", {"phone": PHONE})
    assert sms_sent(world) == 2
    assert code in browser.get("/sign-in/code").text


def test_also_when_the_sends_are_spent_the_running_code_page_is_reached(
    browser: Browser, world: World, clock: Clock
) -> None:
    for _ in range(3):
        browser.post("/sign-in", {"phone": PHONE})
        clock.move(seconds=60)
    refused = browser.post("/sign-in", {"phone": PHONE})
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, str(11 * 60))
    assert "15:15" in refused.text  # 12:15 UTC in Moscow
    assert f'value="{PHONE}"' in refused.text
    assert 'href="/sign-in/code"' in refused.text
    assert sms_sent(world) == 3


def test_reload_and_back_send_nothing(browser: Browser, world: World) -> None:
    browser.ask()
    for path in ("/sign-in/code", "/", "/sign-in/code", "/sign-in/sms"):
        browser.get(path)
    assert sms_sent(world) == 1


def test_a_code_works_in_the_browser_that_asked_alone(app: Flask, browser: Browser) -> None:
    code = browser.ask()
    other = Browser(app)
    assert other.post("/sign-in/code", {"code": code}).location == "/"
    other.ask()
    assert browser.post("/sign-in/code", {"code": code}).location == "/profile"


@pytest.mark.parametrize("seconds", [0, 0.02, 0.2, 60])
def test_a_right_code_posted_twice_ends_signed_in_with_one_session(
    app: Flask, browser: Browser, world: World, clock: Clock, seconds: float
) -> None:
    code = browser.ask()
    cookie: Any = browser.client.get_cookie("session")
    assert browser.post("/sign-in/code", {"code": code}).location == "/profile"
    first: Any = browser.client.get_cookie("session")
    clock.move(seconds=min(seconds, 59.9))
    browser.client.set_cookie("session", cookie.value)  # the second post left before the first was answered
    assert browser.post("/sign-in/code", {"code": code}).location == "/profile"
    assert browser.get("/profile").status_code == 200
    assert len(world.rows(select(SessionRow.id))) == 1
    browser.client.set_cookie("session", first.value)
    assert browser.get("/profile").location == "/"


def test_a_used_code_is_worth_nothing_after_a_minute_or_when_it_is_wrong(browser: Browser, clock: Clock) -> None:
    code = browser.ask()
    cookie: Any = browser.client.get_cookie("session")
    browser.post("/sign-in/code", {"code": code})
    browser.client.set_cookie("session", cookie.value)
    assert browser.post("/sign-in/code", {"code": wrong(code)}).status_code == 422
    clock.move(seconds=60)
    again = browser.post("/sign-in/code", {"code": code})
    assert (again.status_code, "used already" in again.text) == (422, True)


def test_a_second_post_after_signing_out_stays_out(browser: Browser) -> None:
    code = browser.ask()
    cookie: Any = browser.client.get_cookie("session")
    browser.post("/sign-in/code", {"code": code})
    browser.post("/sign-out")
    browser.client.set_cookie("session", cookie.value)
    assert browser.post("/sign-in/code", {"code": code}).status_code == 422


def test_whoever_is_signed_in_is_led_to_the_profile(browser: Browser, world: World) -> None:
    browser.sign_in()
    assert browser.get("/").location == "/profile"
    assert browser.get("/sign-in/code").location == "/profile"
    assert browser.post("/sign-in", {"phone": "+79161234567"}).location == "/profile"
    assert browser.post("/sign-in/code", {"code": "0000"}).location == "/profile"
    assert sms_sent(world) == 1


def test_without_a_running_challenge_the_code_page_leads_to_the_start(browser: Browser) -> None:
    assert browser.get("/sign-in/code").location == "/"
    assert browser.post("/sign-in/code", {"code": "0000"}).location == "/"
    assert browser.get("/sign-in/sms").status_code == 204


def test_signing_out_ends_the_session_itself(browser: Browser) -> None:
    browser.sign_in()
    cookie: Any = browser.client.get_cookie("session")
    assert browser.post("/sign-out").location == "/"
    browser.client.set_cookie("session", cookie.value)
    assert browser.get("/profile").location == "/"


def test_a_blocked_user_is_told(browser: Browser, world: World, clock: Clock) -> None:
    world.user(PHONE, blocked_at=clock.now())
    page = browser.post("/sign-in/code", {"code": browser.ask()})
    assert (page.status_code, "This account is blocked" in page.text) == (422, True)
    assert len(world.rows(select(User.id))) == 1


def test_a_blocked_user_s_code_is_shown_as_used(browser: Browser, world: World, clock: Clock) -> None:
    world.user(PHONE, blocked_at=clock.now())
    code = browser.ask()
    page = browser.post("/sign-in/code", {"code": code}).text
    assert "This account is blocked." in page
    assert "This code was used already" in page
    assert code not in plain(page)


def test_the_poll_of_the_sms_is_kept_by_nobody(browser: Browser) -> None:
    browser.ask()
    answer = browser.get("/sign-in/sms?shown=queued")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (204, "no-store")
    assert "HX-Request" in answer.headers["Vary"]


def test_the_countdown_needs_no_clock_of_the_device(browser: Browser, clock: Clock) -> None:
    browser.ask()
    clock.move(seconds=20)
    page = browser.get("/sign-in/code").text
    assert 'data-left="40"' in page
    assert "Reload the page then" in page


def test_the_page_tells_what_became_of_the_sms(app: Flask, browser: Browser) -> None:
    browser.ask()
    assert "about to leave" in browser.get("/sign-in/code").text
    assert browser.get("/sign-in/sms?shown=queued").status_code == 204
    with app.app_context():
        outbox.run_once()
    news = browser.get("/sign-in/sms?shown=queued", headers={"HX-Request": "true"})
    assert "Arrived at 15:01." in plain(news.text)
    assert "hx-trigger" not in news.text
    assert "HX-Push-Url" not in news.headers


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("sending", "The SMS is about to leave."),
        ("sent", "It usually takes less than a minute."),
        ("delivered", "Arrived at"),
        ("failed", "could not be delivered"),
        ("expired", "was not sent in time"),
        ("unknown", "Nobody tells whether the SMS arrived"),
    ],
)
def test_each_state_of_the_sms_is_told_and_polled_until_it_is_final(
    app: Flask, browser: Browser, clock: Clock, state: str, words: str
) -> None:
    browser.ask()
    with app.app_context(), transaction() as session:
        session.execute(update(Message).values(state=state, sent_at=clock.now()))
    page = browser.get("/sign-in/code").text
    assert words in page
    assert ("every 2s" in page) is (state in {"sending", "sent"})
    assert browser.get(f"/sign-in/sms?shown={state}").status_code == 204


def test_polling_stops_when_the_code_can_be_used_no_more(browser: Browser, clock: Clock) -> None:
    browser.ask()
    clock.move(minutes=10)
    page = browser.get("/sign-in/sms?shown=queued", headers={"HX-Request": "true"})
    assert (page.status_code, "every 2s" in page.text) == (200, False)


def test_too_many_requests_of_an_address_are_told_as_a_time(
    browser: Browser, change_settings: Callable[..., None]
) -> None:
    change_settings(limit_address_requests=(Rate(1, 3600),))
    browser.ask()
    page = browser.post("/sign-in", {"phone": "+79161234567"})
    assert (page.status_code, page.headers["Retry-After"]) == (429, "3540")
    assert "16:00" in page.text
