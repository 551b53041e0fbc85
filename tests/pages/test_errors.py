import json
import logging
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from referral_app.logs import JsonFormatter
from referral_app.services import limits
from tests.factories import Api, Browser, plain


def test_an_unknown_page_is_a_page(browser: Browser) -> None:
    page = browser.get("/nothing")
    assert page.status_code == 404
    assert page.mimetype == "text/html"
    assert "There is nothing at this address." in page.text
    assert "Sign in" in page.text


def test_a_failure_is_a_page_with_the_requests_id_and_no_trace(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("referral_app.services.challenges.ask", fail)
    page = browser.post("/sign-in", {"phone": "+79991234567"})
    assert page.status_code == 500
    assert "secret" not in page.text
    assert page.headers["X-Request-Id"] in page.text


def test_a_database_that_is_away_is_503_with_a_time(
    api: Api, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError("SELECT 1", {}, Exception("gone"))

    monkeypatch.setattr("referral_app.services.challenges.ask", away)
    for answer in (browser.post("/sign-in", {"phone": "+79991234567"}), api.ask()):
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


def test_a_limit_that_no_page_of_its_own_tells_is_a_page_with_the_time(
    another_app: Callable[..., Flask], clock: object
) -> None:
    app = another_app()

    def refuse() -> str:
        raise limits.Spent("lookups", "too_many_requests", 42)

    app.add_url_rule("/spent", view_func=refuse)
    page = Browser(app).get("/spent")
    assert (page.status_code, page.headers["Retry-After"]) == (429, "42")
    assert "You can go on at 15:01:42." in plain(page.text)


def test_health_tells_the_schema(another_app: Callable[..., Flask]) -> None:
    browser = Browser(another_app())
    assert browser.get("/health/live").json == {"status": "live"}
    assert browser.get("/health/ready").json == {"status": "ready", "schema": "0008", "warnings": []}


def test_each_request_is_logged_with_its_id_and_without_phones(
    browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    answer = browser.get("/users/+79991234567?phone=+79991234567", headers={"X-Request-Id": "abc-12345678"})
    assert answer.headers["X-Request-Id"] == "abc-12345678"
    (line,) = [JsonFormatter().format(r) for r in caplog.records if r.name == "referral_app.requests"]
    logged = json.loads(line)
    assert (logged["path"], logged["status"]) == ("/users/[phone]", 404)
    assert "9991234567" not in line


@pytest.mark.parametrize("given", ["", "short", "a" * 65, "x\ty", "<script>", "79991234567"])
def test_an_unusable_request_id_is_replaced(browser: Browser, given: str) -> None:
    assert browser.get("/", headers={"X-Request-Id": given}).headers["X-Request-Id"] != given


def test_without_its_database_the_service_is_not_ready(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise OperationalError("SELECT 1", {}, Exception("gone"))

    monkeypatch.setattr("referral_app.services.readiness.read", away)
    answer = browser.get("/health/ready")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert browser.get("/health/live").status_code == 200
