from io import BytesIO
from typing import Any

import pytest

from referral_app.services import avatars
from tests.factories import PHONE, Browser, World
from tests.pictures import form, plain


def send(browser: Browser, data: bytes | None) -> Any:
    return browser.post("/profile/avatar", **form(data))


def test_a_picture_is_shown_replaced_and_removed(browser: Browser, world: World) -> None:
    me = world.user(PHONE)
    browser.sign_in()
    assert 'class="avatar icon"' in browser.get("/profile").text
    assert send(browser, plain()).location == "/profile"
    page = browser.get("/profile").text
    address = page.split('<img class="avatar" src="')[1].split('"')[0]
    assert address.startswith(f"/avatars/{me.id}?v=")
    assert browser.get(address).content_type == "image/webp"
    assert browser.post("/profile/avatar/delete").location == "/profile"
    page = browser.get("/profile").text
    assert "The picture is removed." in page
    assert "<img" not in page
    assert browser.get("/profile/avatar").location == "/profile"


@pytest.mark.parametrize(("signed_in", "status"), [(True, 422), (False, 303)])
def test_a_body_that_is_refused_is_read_to_its_end(browser: Browser, signed_in: bool, status: int) -> None:
    if signed_in:
        browser.sign_in()
    body = form(b"\0" * (6 * 1024 * 1024))
    stream = BytesIO(body["data"])
    answer = browser.client.post(
        "/profile/avatar",
        input_stream=stream,
        content_length=len(body["data"]),
        content_type=body["content_type"],
        headers={"Sec-Fetch-Site": "same-origin"},
    )
    assert answer.status_code == status
    assert stream.read() == b""  # else a browser that still sends sees a reset, not the answer


def test_while_other_pictures_are_prepared_the_field_says_so(browser: Browser, monkeypatch: Any) -> None:
    monkeypatch.setattr(avatars, "PATIENCE", 0)
    browser.sign_in()
    with avatars._turn:
        answer = send(browser, plain())
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "5")
    assert "Other pictures are being prepared." in answer.text


def test_what_cannot_be_used_is_told_at_the_field(browser: Browser) -> None:
    browser.sign_in()
    for data, sentence in (
        (None, "Choose a picture."),
        (b"no picture", "This picture cannot be read."),
        (b"\0" * (5 * 1024 * 1024 + 1), "A picture may have 5\u00a0MB at most."),
        (b"\0" * (6 * 1024 * 1024), "A picture may have 5\u00a0MB at most."),
    ):
        answer = send(browser, data)
        assert answer.status_code == 422
        assert f'<p class="error" id="file-error">{sentence}' in answer.text
        assert "<details open>" in answer.text
    assert "<img" not in browser.get("/profile").text
