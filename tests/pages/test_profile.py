import re

import pytest
from flask import Flask

from tests.conftest import Clock
from tests.factories import PHONE, Browser, World


def test_a_new_profile_shows_the_code_and_asks_for_the_inviter(browser: Browser) -> None:
    page = browser.sign_in().text
    assert re.search(r"<b>[2-9A-HJKMNP-Z]{3}</b><b>[2-9A-HJKMNP-Z]{3}</b>", page)
    assert "Nobody yet." in page
    assert "That person will see your phone number." in page


def test_the_inviter_is_named_once(browser: Browser, world: World) -> None:
    inviter = world.user("+79032184011")
    browser.sign_in()
    assert browser.post("/profile/inviter", {"invite_code": inviter.invite_code}).location == "/profile"
    page = browser.get("/profile").text
    assert "+7 903 218-40-11" in page
    assert "29\u00a0November\u00a02026" in page
    assert 'action="/profile/inviter"' not in page


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [("7KMO1X", "There is no such code."), ("", "Enter the six characters"), ("<b>", "There is no such code.")],
)
def test_a_code_that_cannot_be_used_is_shown_again_with_a_sentence(browser: Browser, typed: str, sentence: str) -> None:
    browser.sign_in()
    page = browser.post("/profile/inviter", {"invite_code": typed})
    assert page.status_code == 422
    assert sentence in page.text
    assert "<title>Error: Profile" in page.text
    assert f'value="{typed.replace("<", "&lt;").replace(">", "&gt;")}"' in page.text


def test_own_code_and_circle_get_sentences(browser: Browser, world: World) -> None:
    me = world.user(PHONE)
    mine = world.user(inviter=me)
    browser.sign_in()
    assert "your own code" in browser.post("/profile/inviter", {"invite_code": me.invite_code}).text
    assert "You invited this person" in browser.post("/profile/inviter", {"invite_code": mine.invite_code}).text


def test_invitees_are_listed_the_rest_page_by_page(browser: Browser, world: World) -> None:
    me = world.user(PHONE)
    world.invitees(me, 120)
    page = browser.sign_in().text
    assert "You invited 120\u00a0people" in page
    assert page.count('<li>\n    <a class="tel"') == 50
    second = browser.get("/profile/invitees?page=2").text
    assert "Page 2 of 3" in second
    assert "+7 997 000-00-69" in second
    assert browser.get("/profile/invitees?page=x").status_code == 422
    assert browser.get("/profile/invitees?page=99999999").status_code == 422


def test_times_are_shown_in_the_zone_of_the_settings(browser: Browser, world: World, clock: Clock) -> None:
    clock.move(hours=10)  # 22:01 UTC is 01:01 of the next day in Moscow
    me = world.user(PHONE)
    world.user(inviter=me)
    assert "30\u00a0November" in browser.sign_in().text


def test_an_ended_session_leads_to_the_start_page(app: Flask, browser: Browser, clock: Clock) -> None:
    browser.sign_in()
    clock.move(hours=720)
    assert (browser.get("/profile").status_code, browser.get("/profile").location) == (303, "/")
    answer = browser.post("/profile/inviter", {"invite_code": "ZZZZZZ"}, headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/")


def test_a_code_entered_in_two_tabs_is_told_as_entered_already(browser: Browser, world: World) -> None:
    inviter = world.user()
    browser.sign_in()
    browser.post("/profile/inviter", {"invite_code": inviter.invite_code})
    page = browser.post("/profile/inviter", {"invite_code": inviter.invite_code})
    assert page.status_code == 422
    assert "The inviter is set already and stays." in page.text


def test_a_session_ended_elsewhere_is_told_on_the_start_page(app: Flask, browser: Browser, clock: Clock) -> None:
    browser.sign_in()
    clock.move(hours=720)
    assert "You were signed out." in browser.get("/profile", follow_redirects=True).text
    assert "You were signed out." not in browser.get("/").text
    assert "You were signed out." not in Browser(app).get("/profile", follow_redirects=True).text
