"""The link that is passed on: who invites, the offer that is carried, one click."""

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from referral_app.db import transaction
from referral_app.models import Challenge, Counter, Message, User
from referral_app.models import Session as SessionRow
from tests.factories import PHONE, Browser, Person, World


@pytest.fixture
def anna(world: World) -> Person:
    return world.user(first_name="Anna <b>")


def accept(browser: Browser, page: str) -> Any:
    code = re.findall(r'name="invite_code" value="(\w{6})"', page)[0]
    return browser.post("/profile/inviter", {"invite_code": code}, follow_redirects=True)


def test_a_stranger_is_told_who_invites_signs_in_and_accepts_with_one_click(
    browser: Browser, anna: Person, world: World
) -> None:
    page = browser.get(f"/r/{anna.invite_code}")
    assert page.status_code == 200
    assert "Anna &lt;b&gt; invites you" in page.text
    assert 'property="og:title" content="Anna &lt;b&gt; invites you"' in page.text
    assert anna.phone not in page.text
    profile = browser.sign_in().text
    assert "Accept the invitation" in profile
    accepted = accept(browser, profile).text
    assert "You were invited by" in accepted
    assert "Accept the invitation" not in accepted
    assert world.rows(select(User.invitees_count).where(User.id == anna.id))[0][0] == 1


def test_the_offer_survives_wrong_phone_wrong_code_reload_language_and_resend(
    browser: Browser, anna: Person, clock: Any
) -> None:
    browser.get(f"/r/{anna.invite_code}")
    assert anna.invite_code in browser.get("/").text
    assert anna.invite_code in browser.post("/sign-in", {"phone": "123"}).text
    code = browser.ask()
    assert anna.invite_code in browser.get("/sign-in/code").text
    assert anna.invite_code in browser.post("/sign-in/code", {"code": f"{(int(code) + 1) % 10000:04}"}).text
    browser.post("/language", {"language": "ru"})
    clock.move(seconds=60)
    browser.post("/sign-in", {"phone": PHONE})
    assert "Anna &lt;b&gt; приглашает вас" in browser.get("/sign-in/code").text
    profile = browser.post("/sign-in/code", {"code": code}, follow_redirects=True).text
    assert "Принять приглашение" in profile
    assert "Принять приглашение" in browser.get("/profile").text


def test_the_last_link_wins(browser: Browser, anna: Person, world: World) -> None:
    browser.get(f"/r/{anna.invite_code}")
    last = world.user()
    page = browser.get(f"/r/{last.invite_code[:3].lower()}-{last.invite_code[3:].lower()}").text
    assert "You are invited" in page
    profile = browser.sign_in().text
    assert last.invite_code in profile
    assert anna.invite_code not in profile


def test_somebody_signed_in_accepts_on_the_page_of_the_link(browser: Browser, anna: Person) -> None:
    browser.sign_in()
    page = browser.get(f"/r/{anna.invite_code}").text
    assert "Accept the invitation?" in page
    assert "You were invited by" in accept(browser, page).text


def test_own_link_and_an_inviter_already_set_are_plain_sentences(browser: Browser, anna: Person, world: World) -> None:
    me = world.user(PHONE, inviter=anna)
    browser.get(f"/r/{me.invite_code}")
    assert "The link that you opened is your own." in browser.sign_in().text
    assert "The link that you opened is your own." not in browser.get("/profile").text
    assert "This is your own link" in browser.get(f"/r/{me.invite_code}").text
    page = browser.get(f"/r/{world.user().invite_code}").text
    assert "You have an inviter already" in page
    assert 'name="invite_code"' not in page


def test_an_inviter_set_meanwhile_is_told_after_the_sign_in(browser: Browser, anna: Person, world: World) -> None:
    world.user(PHONE, inviter=anna)
    browser.get(f"/r/{world.user().invite_code}")
    assert "You have an inviter already." in browser.sign_in().text
    assert "You have an inviter already." not in browser.get("/profile").text


def test_a_circle_is_told_and_the_offer_is_dropped(browser: Browser, world: World) -> None:
    me = world.user(PHONE)
    invitee = world.user(inviter=me)
    browser.get(f"/r/{invitee.invite_code}")
    refused = accept(browser, browser.sign_in().text)
    assert refused.status_code == 422
    assert "You invited this person yourself" in refused.text
    assert "Accept the invitation" not in browser.get("/profile").text


@pytest.mark.parametrize("code", ["ZZZZZZ", "nonsense", "7KMO1X", "💥", "a" * 300, "%00", "<b>"])
def test_an_unknown_link_is_a_friendly_404(browser: Browser, code: str) -> None:
    page = browser.get(f"/r/{code}")
    assert page.status_code == 404
    assert "There is no such invitation" in page.text
    assert "Set-Cookie" not in page.headers


def test_the_link_of_a_deleted_account_is_unknown(app: Flask, browser: Browser, anna: Person, clock: Any) -> None:
    browser.get(f"/r/{anna.invite_code}")
    with app.app_context(), transaction() as session:
        session.execute(update(User).where(User.id == anna.id).values(deleted_at=clock.now(), phone=None))
    assert browser.get(f"/r/{anna.invite_code}").status_code == 404
    assert anna.invite_code not in browser.get("/").text


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "headers",
    [
        {"User-Agent": "TelegramBot (like TwitterBot)"},
        {"User-Agent": "WhatsApp/2.24"},
        {"Sec-Purpose": "prefetch", "User-Agent": "Chrome"},
    ],
)
def test_opening_a_link_200_times_changes_no_row_and_uses_no_limit(
    app: Flask, world: World, clock: Any, anna: Person, method: str, headers: dict[str, str]
) -> None:
    signed_in, bot = Browser(app), Browser(app)
    signed_in.sign_in()
    tables = (User, SessionRow, Challenge, Message, Counter)

    def rows() -> list[Any]:
        counted = [world.rows(select(func.count()).select_from(table))[0][0] for table in tables]
        return [*counted, *world.rows(select(User.inviter_id, User.invitees_count).order_by(User.id))]

    before = rows()
    for visitor in (signed_in, bot):
        for _ in range(100):
            answer = visitor.client.open(f"/r/{anna.invite_code}", method=method, headers=headers, buffered=True)
            assert answer.status_code == 200
    assert rows() == before


def test_a_prefetch_takes_the_place_of_no_invitation(browser: Browser, anna: Person, world: World) -> None:
    browser.get(f"/r/{anna.invite_code}")
    browser.get(f"/r/{world.user().invite_code}", headers={"Sec-Purpose": "prefetch;prerender"})
    assert anna.invite_code in browser.get("/").text


def test_opening_sign_out_does_not_sign_out(browser: Browser) -> None:
    browser.sign_in()
    assert browser.get("/sign-out").status_code == 405
    assert browser.get("/profile").status_code == 200


def test_signing_out_forgets_the_offer(browser: Browser, anna: Person) -> None:
    browser.sign_in()
    browser.get(f"/r/{anna.invite_code}")
    browser.post("/sign-out")
    assert anna.invite_code not in browser.get("/").text


def test_the_profile_shows_the_link_its_qr_code_and_a_way_by_sms(browser: Browser) -> None:
    page = browser.sign_in().text
    link = re.findall(r'data-copy="([^"]+)"', page)[0]
    assert link.startswith("http://127.0.0.1:8000/r/")
    assert f"{link.removeprefix('http://')}</p>" in page
    assert "sms:?&amp;body=Join%20me%20here%3A%20http%3A//127.0.0.1" in page
    assert re.search(r'<svg class="qr" viewBox="0 0 (\d+) \1"', page)


def test_sessions_are_listed_and_ended_on_the_profile(app: Flask, browser: Browser, world: World) -> None:
    browser.sign_in()
    other = Browser(app)
    other.client.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Mobile Safari/537.36"
    other.sign_in()
    page = browser.get("/profile").text
    assert "Chrome, Android" in page
    (path,) = re.findall(r'action="(/profile/sessions/[\w-]+/end)"', page)
    assert "Signed out there." in browser.post(path, follow_redirects=True).text
    assert other.get("/profile").location == "/"
    assert browser.post(path).location == "/profile"
    third = Browser(app)
    third.sign_in()
    assert "Signed out everywhere else." in browser.post("/profile/sessions/end", follow_redirects=True).text
    assert third.get("/profile").location == "/"
    assert browser.get("/profile").status_code == 200
