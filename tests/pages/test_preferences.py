"""Language and theme: the browser's header, the switches, what is kept."""

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from referral_app.models import Message, User
from referral_app.services import outbox
from tests.factories import PHONE, Api, Browser, World

RUSSIAN = {"Accept-Language": "ru-RU,ru;q=0.9,en;q=0.5"}


@pytest.mark.parametrize(
    ("header", "lang"),
    [
        ("ru-RU,ru;q=0.9,en;q=0.8", "ru"),
        ("en-US,en;q=0.9,ru;q=0.1", "en"),
        ("de,ru;q=0.5", "ru"),
        ("de", "en"),
        ("", "en"),
        (";;q=x", "en"),
    ],
)
def test_the_language_is_that_of_the_browser(browser: Browser, header: str, lang: str) -> None:
    page = browser.get("/", headers={"Accept-Language": header}).text
    assert f'<html lang="{lang}"' in page
    assert ("Вход по\u00a0номеру телефона" in page) == (lang == "ru")


def test_the_switch_wins_over_the_header_and_stays(browser: Browser) -> None:
    page = browser.get("/", headers=RUSSIAN).text
    assert 'name="language" value="en"' in page
    answer = browser.post("/language", {"language": "en"}, headers={"Referer": "http://localhost/sign-in/code?x=1"})
    assert (answer.status_code, answer.location) == (303, "/sign-in/code?x=1")
    assert '<html lang="en"' in browser.get("/", headers=RUSSIAN).text


@pytest.mark.parametrize("path", ["/sign-in", "/profile/inviter"])
def test_the_answers_of_forms_can_be_returned_to(browser: Browser, path: str) -> None:
    browser.sign_in() if path.startswith("/profile") else None
    answer = browser.post("/language", {"language": "ru"}, headers={"Referer": f"http://localhost{path}"})
    assert browser.get(answer.location, follow_redirects=True).status_code == 200


@pytest.mark.parametrize(
    "referer",
    [
        "https://evil.example/x",
        "http://localhost//evil.example/",
        "http://localhost/\\evil.example",
        "//evil.example//x",
        "nonsense",
        "",
    ],
)
def test_the_switch_leads_to_no_other_site(browser: Browser, referer: str) -> None:
    location = browser.post("/theme", {"theme": "dark"}, headers={"Referer": referer}).location
    assert location.startswith("/")
    assert not location.startswith(("//", "/\\"))


@pytest.mark.parametrize("referer", ["http://[", "http://x]/", "//[::1"])
def test_a_broken_referer_leads_to_the_start(browser: Browser, referer: str) -> None:
    answer = browser.post("/theme", {"theme": "dark"}, headers={"Referer": referer})
    assert (answer.status_code, answer.location) == (303, "/")


@pytest.mark.parametrize("path", ["/errors", "/nowhere", "/r/ZZZZZZ", "/profile"])
def test_the_account_s_language_counts_on_each_page(browser: Browser, world: World, path: str) -> None:
    world.user(PHONE, language="ru")
    browser.sign_in()
    browser.client.delete_cookie("preferences")
    assert '<html lang="ru"' in browser.get(path).text


def test_the_theme_is_kept_and_given_back_to_the_system(browser: Browser) -> None:
    assert "data-theme" not in browser.get("/").text
    browser.post("/theme", {"theme": "dark"})
    page = browser.get("/").text
    assert 'data-theme="dark"' in page
    assert "Theme: as the system" in page
    browser.post("/language", {"language": "ru"})
    assert 'data-theme="dark"' in browser.get("/").text
    browser.post("/theme", {"theme": ""})
    page = browser.get("/").text
    assert "data-theme" not in page
    assert '<html lang="ru"' in page


@pytest.mark.parametrize("value", ["xx.pink", '"><script>.dark"', "....", "ru", "." * 3000])
def test_a_forged_preference_is_none(browser: Browser, value: str) -> None:
    browser.client.set_cookie("preferences", value)
    page = browser.get("/").text
    assert "data-theme" not in page
    assert "<script>." not in page


@pytest.mark.parametrize("form", [{}, {"language": "xx"}, {"language": "ru\0"}])
def test_an_unknown_language_is_ignored(browser: Browser, form: dict[str, str]) -> None:
    assert browser.post("/language", form).status_code == 303
    assert '<html lang="en"' in browser.get("/").text


def test_the_language_is_kept_with_the_account(app: Flask, browser: Browser, world: World) -> None:
    browser.get("/", headers=RUSSIAN)
    browser.post("/sign-in", {"phone": PHONE}, headers=RUSSIAN)
    code = browser.ask()
    browser.post("/sign-in/code", {"code": code}, headers=RUSSIAN)
    assert world.rows(select(User.language))[0].language == "ru"
    assert "Здравствуйте!" in browser.get("/profile").text  # no header any more: the account's language
    browser.post("/language", {"language": "en"})
    assert world.rows(select(User.language))[0].language == "en"
    assert "Hello!" in browser.get("/profile", headers=RUSSIAN).text


def test_the_choice_of_this_browser_wins_over_the_account(browser: Browser, world: World) -> None:
    world.user(PHONE, language="ru")
    browser.post("/language", {"language": "en"})
    assert "Hello!" in browser.sign_in().text


def test_the_sms_is_in_the_language_of_the_page(app: Flask, browser: Browser, world: World, sms_folder: Path) -> None:
    browser.post("/language", {"language": "ru"})
    browser.post("/sign-in", {"phone": PHONE})
    with app.app_context():
        outbox.run_once()
    assert world.rows(select(Message.language))[0].language == "ru"
    (sms,) = sms_folder.iterdir()
    assert "ваш код для входа: Pozovi" in sms.read_text()


def test_the_api_goes_by_its_header(api: Api, world: World, browser: Browser) -> None:
    answer = api.post("/auth/code", {"phone": "1", "x": 1}, headers=RUSSIAN).json
    assert answer["detail"] == "Некоторые значения не\u00a0подходят."
    assert answer["errors"]["phone"] == ["Нужен мобильный номер, например 8\u00a0999\u00a0123-45-67."]
    assert answer["errors"]["x"] == ["Такого поля нет."]
    cookie = {"Cookie": "preferences=ru."}
    assert api.post("/auth/code", {"phone": "1"}, headers=cookie).json["detail"] == "Some values cannot be used."
    api.post("/auth/code", {"phone": PHONE}, headers=RUSSIAN)
    assert world.rows(select(Message.language))[0].language == "ru"


@pytest.mark.parametrize(("count", "words"), [(1, "1\u00a0человека"), (3, "3\u00a0человек"), (21, "21\u00a0человека")])
def test_plurals_and_dates_are_russian(browser: Browser, world: World, count: int, words: str) -> None:
    person = world.user(PHONE, language="ru")
    world.invitees(person, count)
    page: Any = browser.sign_in().text
    assert f"Вы\u00a0позвали {words}" in page
    assert "29\u00a0ноября" in page


def test_tries_are_counted_in_russian(browser: Browser) -> None:
    browser.post("/language", {"language": "ru"})
    code = int(browser.ask())
    page = browser.post("/sign-in/code", {"code": f"{(code + 1) % 10000:04}"}).text
    assert "Осталось 2\u00a0попытки." in page
    assert "<title>Ошибка: Код из\u00a0СМС" in page
