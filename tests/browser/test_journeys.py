"""The main job in a real browser, with JavaScript and without."""

import re
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.servers import Server, serving


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("served"), SMS_SIMULATED_DELAY="0") as running:
        yield running


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    names = ("chromium-headless-shell", "chromium", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--disable-gpu", "--disable-quic", "--no-sandbox"], timeout=30_000
        )
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Browser, server: Server) -> Iterator[Any]:
    """Opens pages of the site; what a page logs or asks elsewhere fails the test."""
    contexts, wrong = [], []

    def make(**options: Any) -> Page:
        context = chromium.new_context(base_url=server.url, **options)
        context.set_default_timeout(10_000)
        context.set_default_navigation_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: wrong.append(m.text) if m.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "request", lambda r: wrong.append(r.url) if not r.url.startswith((server.url, "data:", "blob:")) else None
        )
        return page

    yield make
    for context in contexts:
        context.close()
    # A form that is refused is an answer of 422, which the browser logs.
    assert [text for text in wrong if "422" not in text] == []


def sign_in(page: Page, phone: str) -> str:
    """Walk from the phone to the profile; return the invite code."""
    page.goto("/")
    page.get_by_label("Mobile phone").fill(phone)
    page.get_by_role("button", name="Get a code").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Enter the code from the SMS")
    page.get_by_label("Four digits").fill(page.locator(".flash .mono").inner_text())
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Hello!")
    assert page.url.endswith("/profile")
    return re.sub(r"\s", "", page.locator(".ticket-code").inner_text())


@pytest.mark.parametrize("script", [True, False], ids=["javascript", "plain"])
def test_sign_in_get_a_code_and_name_the_inviter(open_page: Any, script: bool) -> None:
    inviter = open_page(java_script_enabled=script)
    code = sign_in(inviter, f"+7 916 100-00-0{int(script)}")
    page = open_page(java_script_enabled=script, viewport={"width": 390, "height": 844})
    sign_in(page, f"8 (916) 200-00-0{int(script)}")

    page.get_by_label("Code of the one who invited you").fill("7KMO1X")
    page.get_by_role("button", name="Enter the code").click()
    field = page.get_by_label("Code of the one who invited you")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_value("7KMO1X")
    expect(field).to_be_focused()
    field.fill(code.lower())
    page.get_by_role("button", name="Enter the code").click()
    expect(page.get_by_role("heading", name="You were invited by")).to_be_visible()
    expect(page.get_by_text(f"+7 916 100-00-0{int(script)}")).to_be_visible()

    page.reload()
    expect(page.get_by_role("heading", name="You were invited by")).to_be_visible()

    inviter.reload()
    expect(inviter.get_by_role("heading", name="You invited 1\u00a0person")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in with your phone")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in with your phone")


def test_the_page_tells_of_the_sms_while_digits_are_typed_and_sends_nothing_on_reload(
    open_page: Any, server: Server
) -> None:
    page = open_page()
    page.goto("/")
    page.get_by_label("Mobile phone").fill("+7 916 300-00-00")
    page.get_by_label("Mobile phone").press("Enter")
    page.get_by_label("Four digits").press_sequentially("12")
    expect(page.locator("#sms")).to_contain_text("Arrived at")
    expect(page.get_by_label("Four digits")).to_have_value("12")
    expect(page.get_by_label("Four digits")).to_be_focused()
    expect(page.get_by_role("button", name="Send again")).to_be_disabled()
    before = len(list((server.folder / "sms").iterdir()))
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Enter the code from the SMS")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in with your phone")
    assert len(list((server.folder / "sms").iterdir())) == before


@pytest.mark.parametrize(("path", "text"), [("/redoc", "Exchange a code for tokens."), ("/docs", "/api/v1/auth/token")])
def test_the_documents_are_drawn_without_another_host(open_page: Any, path: str, text: str) -> None:
    page = open_page()
    page.goto(path)
    expect(page.get_by_text(text).filter(visible=True).first).to_be_visible(timeout=30_000)
