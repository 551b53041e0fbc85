"""What holds for every page: origins, headers, cookies, secrets."""

import base64
import hashlib
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from referral_app.logs import JsonFormatter
from referral_app.services import outbox
from tests.factories import PHONE, Api, Browser

FORMS = ["/sign-in", "/sign-in/code", "/sign-out", "/profile/inviter", "/language", "/theme"]


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1:8000"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {},
    ],
)
def test_a_form_from_elsewhere_is_403_and_changes_nothing(browser: Browser, path: str, headers: dict[str, str]) -> None:
    browser.sign_in()
    assert browser.client.post(path, data={"phone": PHONE}, headers=headers).status_code == 403
    assert browser.get("/profile").status_code == 200


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "none"}, {"Origin": "http://127.0.0.1:8000"}])
def test_a_form_from_here_is_taken(browser: Browser, headers: dict[str, str]) -> None:
    assert browser.client.post("/sign-in", data={"phone": PHONE}, headers=headers).status_code == 303


def test_every_answer_has_the_headers_that_protect_it(browser: Browser) -> None:
    for path in ("/", "/nothing", "/docs", "/static/app.css", "/api/openapi.json"):
        headers = browser.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
    policy = browser.get("/redoc").headers["Content-Security-Policy"]
    assert "style-src 'self' 'unsafe-inline'" in policy
    assert "script-src 'self';" in policy


def test_pages_have_no_inline_script_or_style(browser: Browser) -> None:
    for path in ("/", "/profile", "/docs", "/redoc", "/nothing"):
        browser.sign_in() if path == "/profile" else None
        page = browser.get(path).text
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?! src)", page)
        assert not re.search(r'(?:src|href|action)="(?:https?:)?//', page)


def test_private_pages_are_never_stored(browser: Browser) -> None:
    browser.sign_in()
    headers = browser.get("/profile").headers
    assert headers["Cache-Control"] == "no-store"
    assert {"HX-Request", "Cookie"} <= {name.strip() for name in headers["Vary"].split(",")}


def test_static_files_with_a_version_are_kept_for_ever(browser: Browser) -> None:
    address = re.findall(r'href="(/static/app\.css\?v=[^"]+)"', browser.get("/").text)[0]
    assert "immutable" in browser.get(address).headers["Cache-Control"]


def test_htmx_gets_the_block_with_its_title_and_the_navigation(browser: Browser) -> None:
    browser.sign_in()
    block = browser.get("/profile", headers={"HX-Request": "true"})
    assert "<html" not in block.text
    assert "<title>Profile" in block.text
    assert 'hx-swap-oob="true"' in block.text
    assert block.headers["HX-Push-Url"] == "/profile"
    restored = browser.get("/profile", headers={"HX-Request": "true", "HX-History-Restore-Request": "true"})
    assert "<html" in restored.text


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(
    browser: Browser, another_app: Callable[..., Flask]
) -> None:
    cookie = browser.post("/sign-in", {"phone": PHONE}).headers["Set-Cookie"]
    assert cookie.startswith("session=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    client = another_app(site_url="https://pozovi.example").test_client()
    secure = client.post("/sign-in", data={"phone": PHONE}, headers={"Sec-Fetch-Site": "same-origin"})
    assert secure.headers["Set-Cookie"].startswith("__Host-session=")
    assert "Secure" in secure.headers["Set-Cookie"]
    assert "max-age" in secure.headers["Strict-Transport-Security"]


def test_the_cookie_is_another_one_after_sign_in(browser: Browser) -> None:
    code = browser.ask()
    before: Any = browser.client.get_cookie("session")
    browser.post("/sign-in/code", {"code": code})
    after: Any = browser.client.get_cookie("session")
    assert before.value.split(".")[0] != after.value.split(".")[0]
    with browser.client.session_transaction() as kept:
        assert set(kept) == {"_permanent", "token", "_flashes"}  # the challenge is over


@pytest.mark.parametrize("value", ["x", "", "eyJ0b2tlbiI6MX0.x.y", "\u2603".encode().decode("latin-1"), "a" * 3000])
def test_a_forged_cookie_is_no_cookie(browser: Browser, value: str) -> None:
    browser.client.set_cookie("session", value)
    assert browser.get("/profile").location == "/"


@pytest.mark.usefixtures("same_codes")
def test_the_host_header_reaches_no_redirect_and_no_page(browser: Browser) -> None:
    evil: dict[str, Any] = {"base_url": "http://evil.example", "headers": {"X-Forwarded-Host": "evil.example"}}
    form = evil | {"headers": evil["headers"] | {"Sec-Fetch-Site": "same-origin"}}
    answers = [
        browser.get("/", **evil),
        browser.get("/profile", **evil),
        browser.post("/sign-in", {"phone": PHONE}, **form),
        browser.post("/sign-in/code", {"code": "7777"}, **form),
        browser.get("/swagger", **evil),
        browser.get("/profile", **evil),
    ]
    assert [answer.status_code for answer in answers] == [200, 303, 303, 303, 308, 200]
    for answer in answers:
        assert "evil.example" not in answer.text
        assert "evil.example" not in str(answer.headers)


@pytest.mark.parametrize("path", ["/sign-in//code", "/api/v1//auth/code", "/static//app.css"])
def test_an_address_with_two_slashes_leads_nowhere(browser: Browser, path: str) -> None:
    answer = browser.get("/", environ_overrides={"PATH_INFO": path}, base_url="http://evil.example")
    assert (answer.status_code, answer.location) == (404, None)


@pytest.mark.usefixtures("same_codes")  # none of them the port in an address
def test_with_codes_hidden_no_code_and_no_hash_of_one_gets_out(
    app: Flask,
    api: Api,
    browser: Browser,
    change_settings: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
    sms_folder: Path,
) -> None:
    change_settings(sms_show_codes=False)
    caplog.set_level(logging.DEBUG)
    asked = api.ask()
    browser.post("/sign-in", {"phone": "+79161234567"})
    shown = browser.get("/sign-in/code").text
    cookie: Any = browser.client.get_cookie("session")
    payload = cookie.value.split(".")[0]
    cookie_text = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).decode()
    refused = api.exchange("0000", challenge_id=asked.json["challenge_id"]).text + api.ask().text
    with app.app_context():
        outbox.run_once()
    logged = "\n".join(JsonFormatter().format(record) for record in caplog.records)
    everything = "\n".join([asked.text, shown, cookie_text, cookie.value, refused, logged])

    codes = [file.read_text().split("#")[-1].strip() for file in sms_folder.iterdir()]
    assert len(codes) == 2
    for code in codes:
        # As a word of its own: four digits may stand in a random id by chance.
        assert not re.search(rf"(?<![\w.-]){code}(?![\w.-])", everything)
    guesses = (f"{number:04}".encode() for number in range(10_000))
    known = [asked.json["challenge_id"].encode(), PHONE.encode(), b""]
    for guess in guesses:
        for salt in known:
            for digest in (hashlib.md5, hashlib.sha1, hashlib.sha256):
                assert digest(guess + salt).hexdigest() not in everything
    assert "9991234567" not in logged
    assert "9161234567" not in logged
