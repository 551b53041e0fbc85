import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from io import BytesIO
from typing import Any

import pytest

from referral_app.services import avatars
from tests.factories import Api, Browser, World
from tests.pictures import BLUE, UNUSABLE, form, on_its_side, opened, plain

MB = 1024 * 1024


def send(api: Api, data: bytes, name: str = "file", filename: str = "me.jpg") -> Any:
    return api.open("PUT", "/profiles/me/avatar", **form(data, name, filename))


def shown(browser: Browser, url: str, **options: Any) -> Any:
    return browser.get(url.removeprefix("http://127.0.0.1:8000"), **options)


def test_a_picture_is_served_as_an_upright_square_without_metadata(api: Api, browser: Browser, world: World) -> None:
    me = world.user()
    answer = send(api(me), on_its_side())
    assert (answer.status_code, answer.json["id"]) == (200, me.id)
    url = answer.json["avatar_url"]
    assert url.startswith(f"http://127.0.0.1:8000/avatars/{me.id}?v=")
    served = shown(browser, url)
    assert (served.status_code, served.content_type) == (200, "image/webp")
    assert served.headers["X-Content-Type-Options"] == "nosniff"
    picture = opened(served.data)
    assert picture.size == (256, 256)
    assert picture.getpixel((128, 236))[2] > 200  # type: ignore[index]
    assert b"home" not in served.data


def test_a_replaced_or_removed_picture_is_never_shown_from_a_cache(api: Api, browser: Browser, world: World) -> None:
    me = api(world.user())
    first = send(me, plain()).json["avatar_url"]
    served = shown(browser, first)
    assert served.headers["Cache-Control"] == "private, no-cache"
    tag = {"If-None-Match": served.headers["ETag"]}
    again = shown(browser, first, headers=tag)
    assert (again.status_code, again.data) == (304, b"")
    second = send(me, plain(color=BLUE)).json["avatar_url"]
    assert second != first
    assert shown(browser, first, headers=tag).status_code == 404
    assert shown(browser, second).status_code == 200
    assert me.open("DELETE", "/profiles/me/avatar").status_code == 204
    assert shown(browser, second).status_code == 404
    assert me.get("/profiles/me").json["avatar_url"] is None
    assert me.open("DELETE", "/profiles/me/avatar").status_code == 204


def test_nobody_finds_a_picture_without_its_whole_address(api: Api, browser: Browser, world: World) -> None:
    me, other = world.user(), world.user()
    url = send(api(me), plain()).json["avatar_url"]
    version = url.rsplit("=", 1)[1]
    for path in ("", "?v=", "?v=1", f"?v={version[:-1]}", f"?v={version}&v=1"):
        assert browser.get(f"/avatars/{me.id}{path}").status_code == (200 if path.endswith("&v=1") else 404)
    assert browser.get(f"/avatars/{other.id}?v={version}").status_code == 404
    assert browser.get(f"/avatars/{10**20}?v={version}").status_code == 404


@pytest.mark.both_databases
@pytest.mark.parametrize("odd", ["%00", "%0a", "💥", "%ff", "x" * 3000])
def test_odd_addresses_are_not_found(api: Api, browser: Browser, world: World, odd: str) -> None:
    assert browser.get(f"/avatars/{world.user().id}?v={odd}").status_code == 404
    assert api.get(f"/auth/challenges/{odd}").status_code == 404


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_three_kinds_are_taken_whatever_their_name(api: Api, world: World, kind: str) -> None:
    assert send(api(world.user()), plain(kind), filename="../../etc/x.exe").status_code == 200


@pytest.mark.parametrize(
    "make", [UNUSABLE[name] for name in ("an SVG", "a JPEG cut in half", "14,000 × 14,000 pixels")]
)
def test_an_unusable_picture_is_refused_and_the_one_before_stays(
    api: Api, world: World, make: Callable[[], bytes]
) -> None:
    me = api(world.user())
    before = send(me, plain()).json["avatar_url"]
    answer = send(me, make())
    assert (answer.status_code, answer.json["slug"]) == (422, "unusable_picture")
    assert list(answer.json["errors"]) == ["file"]
    assert me.get("/profiles/me").json["avatar_url"] == before


def test_five_megabytes_are_taken_and_no_more(api: Api, world: World) -> None:
    me = api(world.user())
    picture = plain("JPEG")
    full = picture + b"\0" * (5 * MB - len(picture))  # what comes behind the picture counts for nothing
    assert send(me, full).status_code == 200
    for data in (full + b"\0", full + b"\0" * 3 * MB):
        answer = send(me, data)
        assert (answer.status_code, answer.json["slug"]) == (413, "picture_too_large")


@pytest.mark.parametrize(
    ("options", "status", "slug"),
    [
        ({"json": {"file": "x"}}, 415, "unsupported_media_type"),
        ({"data": plain(), "content_type": "image/png"}, 415, "unsupported_media_type"),
        ({"data": "file=x", "content_type": "application/x-www-form-urlencoded"}, 415, "unsupported_media_type"),
        ({}, 415, "unsupported_media_type"),
        ({"data": "", "content_type": "multipart/form-data"}, 422, "validation_failed"),
        ({"data": "x", "content_type": "multipart/form-data; boundary=y"}, 422, "validation_failed"),
        ({"data": {"file": "a text", "x": (BytesIO(b""), "x")}}, 422, "validation_failed"),
        ({"data": {"file": (BytesIO(plain()), "x.png"), "role": "admin"}}, 422, "validation_failed"),
        ({"data": {"file": (BytesIO(plain()), "x.png"), "x": (BytesIO(b""), "x")}}, 422, "validation_failed"),
        (form(plain(), "picture"), 422, "validation_failed"),
        (form(None), 422, "validation_failed"),
    ],
)
def test_what_is_no_form_with_the_file_is_refused(
    api: Api, world: World, options: dict[str, Any], status: int, slug: str
) -> None:
    answer = api(world.user()).open("PUT", "/profiles/me/avatar", **options)
    assert (answer.status_code, answer.json["slug"]) == (status, slug)


def test_one_picture_is_decoded_at_a_time(api: Api, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(avatars, "PATIENCE", 0)
    me = api(world.user())
    with avatars._turn:
        answer = send(me, plain())
    assert (answer.status_code, answer.json["slug"], answer.headers["Retry-After"]) == (429, "too_many_pictures", "5")
    assert send(me, plain()).status_code == 200


def test_few_wait_for_their_turn_and_the_rest_is_told_at_once(
    api: Api, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = api(world.user())
    with ExitStack() as waiting:
        for _ in range(4):
            waiting.enter_context(avatars._places)
        assert send(me, plain()).json["slug"] == "too_many_pictures"
    assert send(me, plain()).status_code == 200


@pytest.mark.parametrize("end", ["killed", "too slow"])
def test_a_decoder_that_dies_or_never_ends_refuses_the_picture(
    api: Api, world: World, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    def run(command: list[str], **options: Any) -> Any:
        if end == "too slow":
            raise subprocess.TimeoutExpired(command, options["timeout"])
        return subprocess.CompletedProcess(command, -9, b"", b"")

    monkeypatch.setattr(subprocess, "run", run)
    me = api(world.user())
    assert send(me, plain()).json["slug"] == "unusable_picture"
    monkeypatch.undo()
    assert not avatars._turn.locked()


def test_a_list_of_profiles_has_the_pictures(api: Api, world: World) -> None:
    admin = api(world.user(role="admin"))
    assert admin.post("/auth/second-factor", {"password": "a password of the tests"}).status_code == 204
    url = send(admin, plain()).json["avatar_url"]
    assert [one["avatar_url"] for one in admin.get("/profiles").json["results"]] == [url]
