"""The main job in a real browser, with JavaScript and without."""

import json
import re
from datetime import datetime
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from tests.factories import wrong
from tests.pictures import plain
from tests.servers import Server


def call(server: Server, path: str, body: Any) -> Any:
    """Call the API, as somebody else would."""
    request = Request(f"{server.url}/api/v1{path}", json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urlopen(request, timeout=30) as answer:
            return json.load(answer)
    except HTTPError as refused:
        return json.load(refused)


def sign_in(page: Page, phone: str) -> str:
    """Walk from the phone to the profile; return the invite code."""
    page.goto("/")
    page.get_by_label("Mobile phone").fill(phone)
    page.get_by_role("button", name="Get a code").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Enter the code from the SMS")
    page.get_by_label("Four digits").fill(page.locator(".flash .mono.big").inner_text())
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


def test_a_lost_connection_is_told_in_one_line_and_what_was_typed_stays(open_page: Any) -> None:
    page = open_page()
    page.goto("/")
    page.route("**/sign-in", lambda route: route.abort())
    page.get_by_label("Mobile phone").fill("+7 916 400-00-00")
    page.get_by_role("button", name="Get a code").click()
    expect(page.get_by_role("alert")).to_contain_text("No answer")
    expect(page.get_by_label("Mobile phone")).to_have_value("+7 916 400-00-00")
    page.unroute("**/sign-in")
    page.get_by_role("button", name="Get a code").click()
    expect(page.get_by_label("Four digits")).to_be_focused()
    expect(page.get_by_text("No answer")).to_be_hidden()
    expect(page).to_have_title("Code from the SMS — Pozovi")


def test_the_language_is_switched_on_the_page_where_one_is(open_page: Any) -> None:
    page = open_page()
    page.goto("/")
    page.get_by_label("Mobile phone").fill("+7 916 500-00-00")
    page.get_by_role("button", name="Get a code").click()
    code = page.locator(".flash .mono.big").inner_text()
    page.get_by_role("button", name="RU").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Введите код из СМС")
    page.get_by_label("Четыре цифры").fill(code)
    page.get_by_role("button", name="Войти").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Здравствуйте!")
    page.get_by_role("button", name="Тёмная тема").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.get_by_role("heading", level=1)).to_have_text("Здравствуйте!")


def test_a_link_leads_through_the_sign_in_to_one_click_and_the_inviter_sees_the_new_phone(open_page: Any) -> None:
    inviter = open_page(permissions=["clipboard-read", "clipboard-write"])
    sign_in(inviter, "+7 916 600-00-00")
    inviter.evaluate("window.setTimeout = () => 0")  # so that the word stays
    inviter.get_by_role("button", name="Copy the link").click()
    expect(inviter.get_by_role("button", name="Copied")).to_be_visible()
    link = inviter.evaluate("navigator.clipboard.readText()")

    friend = open_page(viewport={"width": 390, "height": 844})
    friend.goto("/" + link.split("/", 3)[3])
    expect(friend.get_by_role("heading", level=1)).to_have_text("You are invited")
    friend.get_by_label("Mobile phone").fill("+7 916 700-00-00")
    friend.get_by_role("button", name="Get a code").click()
    friend.get_by_label("Four digits").fill(friend.locator(".flash .mono.big").inner_text())
    friend.get_by_role("button", name="Sign in").click()
    friend.get_by_role("button", name="Accept the invitation").click()
    expect(friend.get_by_role("heading", name="You were invited by")).to_be_visible()

    inviter.reload()
    expect(inviter.get_by_role("link", name="+7 916 700-00-00")).to_be_visible()
    friend.get_by_role("button", name="Sign out").click()
    expect(friend.get_by_role("heading", level=1)).to_have_text("Sign in with your phone")
    kept = friend.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert "916" not in kept
    assert "ticket" not in kept


def test_after_strangers_have_guessed_a_long_code_signs_in_from_the_known_browser(
    open_page: Any, server: Server
) -> None:
    phone = "+79169000000"
    owner = open_page(viewport={"width": 320, "height": 640}, timezone_id="Asia/Almaty")
    sign_in(owner, phone)
    owner.get_by_role("button", name="Sign out").click()
    for _ in range(2):
        asked = call(server, "/auth/code", {"phone": phone})
        for _ in range(3):
            call(server, "/auth/token", {"phone": phone, "code": wrong(asked["code"])})

    owner.get_by_label("Mobile phone").fill(phone)
    owner.get_by_role("button", name="Get a code").click()
    until = owner.locator("#sms time").last
    moment = datetime.fromisoformat(str(until.get_attribute("datetime"))).astimezone(ZoneInfo("Asia/Almaty"))
    expect(until).to_have_text(re.compile(f"{moment:%H:%M}$"))
    code = owner.locator(".flash .mono.big").inner_text()
    for left in ("2\u00a0tries left", "1\u00a0try left", "The tries are used up"):
        owner.get_by_label("Four digits").fill(wrong(code))
        owner.get_by_role("button", name="Sign in").click()
        expect(owner.get_by_text(left).first).to_be_visible()
    owner.get_by_role("button", name="Get a new code").click()
    field = owner.get_by_label("Eight digits")
    expect(field).to_be_focused()
    code = owner.locator(".flash .mono.big").inner_text()
    field.press_sequentially(f"{code[:4]} {code[4:]}")
    assert owner.evaluate("document.documentElement.scrollWidth") == 320
    field.press("Enter")
    expect(owner.get_by_role("heading", level=1)).to_have_text("Hello!")


def test_names_picture_and_phone_are_changed_and_the_profile_is_deleted(open_page: Any) -> None:
    page = open_page(viewport={"width": 390, "height": 844})
    code = sign_in(page, "+7 916 111-00-00")
    page.get_by_label("First name").fill(" Д'Артаньян ")
    page.get_by_label("E-mail").fill("Ivan@Пример.рф")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Hello, Д'Артаньян!")
    expect(page.get_by_label("E-mail")).to_have_value("Ivan@Пример.рф")

    page.get_by_text("Add a picture").click()
    file = page.get_by_label("File")
    file.set_input_files({"name": "me.png", "mimeType": "image/png", "buffer": bytes(5 * 1024 * 1024 + 1)})
    assert "5\u00a0MB" in file.evaluate("field => field.validationMessage")
    page.evaluate(
        "document.addEventListener('htmx:xhr:progress',"
        " event => { window.far = event.target.querySelector('progress')?.value ?? window.far; })"
    )
    # What stands in the other forms is not lost by an error of this one.
    page.get_by_label("Last name").fill("Образцова")
    file.set_input_files({"name": "me.png", "mimeType": "image/png", "buffer": b"no picture"})
    page.get_by_role("button", name="Save the picture").click()
    expect(file).to_be_focused()
    expect(page.get_by_text("This picture cannot be read.")).to_be_visible()
    expect(page.get_by_label("Last name")).to_have_value("Образцова")
    expect(page).to_have_title(re.compile("^Error: Profile"))
    file.set_input_files({"name": "me.png", "mimeType": "image/png", "buffer": plain(size=(400, 200))})
    page.get_by_role("button", name="Save the picture").click()
    picture = page.get_by_alt_text("Your picture")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 256
    assert page.evaluate("window.far") == 1

    page.get_by_text("Change the number").click()
    page.get_by_label("New number").fill("8 (916) 111-00-01")
    page.get_by_role("button", name="Get a code").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Enter the code from the SMS")
    expect(page.get_by_text("+7 916 111-00-01")).to_be_visible()
    page.get_by_label("Four digits").fill(page.locator(".flash .mono.big").inner_text())
    page.get_by_role("button", name="Change the number").click()
    expect(page.get_by_text("Your number is changed.")).to_be_visible()

    with page.expect_download() as download:
        page.get_by_role("link", name="Download all that we store about you").click()
    stored = json.loads(download.value.path().read_text(encoding="utf-8"))
    assert stored["profile"]["phone"] == "+79161110001"
    page.get_by_text("Delete the profile", exact=True).click()
    page.get_by_label("I understand, delete it").check()
    page.get_by_role("button", name="Delete the profile for good").click()
    expect(page.get_by_text("Your profile is deleted.")).to_be_visible()
    assert sign_in(page, "+7 916 111-00-01") != code
