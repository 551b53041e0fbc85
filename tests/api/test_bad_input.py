"""What LIMITS promises for bad input: a clear error, and nothing is changed."""

import io
import json

import pytest
from sqlalchemy import select

from referral_app.models import Message
from tests.factories import PHONE, Api, World


@pytest.mark.parametrize(
    ("body", "status", "slug"),
    [
        (b"", 400, "invalid_json"),
        (b"{", 400, "invalid_json"),
        (b'{"phone":"+79161234567",}', 400, "invalid_json"),
        (b'{"phone":"+79161234567"} x', 400, "invalid_json"),
        (b'{"phone":"+79161234567","phone":"+79161234568"}', 400, "invalid_json"),
        (b'{"phone":NaN}', 400, "invalid_json"),
        (b'{"phone":-Infinity}', 400, "invalid_json"),
        (b'{"phone":' + b"9" * 5000 + b"}", 400, "invalid_json"),
        (b'{"phone":"\\ud800"}', 400, "invalid_json"),
        (b'{"\\ud800":"+79161234567"}', 400, "invalid_json"),
        (b'{"phone":"+7916\\u00001234567"}', 400, "invalid_json"),
        (b'{"phone":"+7916\x001234567"}', 400, "invalid_json"),
        (b'{"phone":"\xff"}', 400, "invalid_json"),
        (b'\xef\xbb\xbf{"phone":"+79161234567"}', 400, "invalid_json"),
        ('{"phone":"+79161234567"}'.encode("utf-16"), 400, "invalid_json"),
        (b"[" * 30000 + b"]" * 30000, 400, "invalid_json"),
        (b'{"phone":' * 6000 + b"1" + b"}" * 6000, 400, "invalid_json"),
        (b"null", 422, "validation_failed"),
        (b"[]", 422, "validation_failed"),
        (b'"phone"', 422, "validation_failed"),
        (b"17", 422, "validation_failed"),
        (b"{}", 422, "validation_failed"),
        (b'{"phone":null}', 422, "validation_failed"),
        (b'{"phone":79161234567}', 422, "validation_failed"),
        (b'{"phone":["+79161234567"]}', 422, "validation_failed"),
        (b'{"phone":"+79161234567","admin":true}', 422, "validation_failed"),
        (b'{"phone":"+79161234567","challenge_id":17}', 422, "validation_failed"),
        (b'{"phone":"' + b" " * 65536 + b'"}', 413, "payload_too_large"),
    ],
)
def test_a_bad_body_gets_its_status_and_sends_nothing(
    api: Api, world: World, body: bytes, status: int, slug: str
) -> None:
    answer = api.post("/auth/code", data=body, content_type="application/json")
    assert (answer.status_code, answer.json["slug"]) == (status, slug)
    assert answer.content_type == "application/problem+json"
    assert answer.json.keys() >= {"type", "title", "status", "detail", "slug", "errors"}
    assert answer.json["status"] == status
    assert world.rows(select(Message.id)) == []


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None]
)
def test_another_content_type_is_415(api: Api, content_type: str | None) -> None:
    answer = api.post("/auth/code", data=json.dumps({"phone": PHONE}), content_type=content_type)
    assert (answer.status_code, answer.json["slug"]) == (415, "unsupported_media_type")


def test_no_body_and_no_content_type_is_400(api: Api) -> None:
    assert api.post("/auth/code").json["slug"] == "invalid_json"


def test_json_with_a_charset_is_json(api: Api) -> None:
    answer = api.post("/auth/code", data=json.dumps({"phone": PHONE}), content_type="application/json; charset=utf-8")
    assert answer.status_code == 202


@pytest.mark.parametrize(
    "phone",
    [
        "",
        "8 495 123-45-67",
        "8 800 555-35-35",
        "+8 952 666-66-66",
        "+79991234567;ext=5",
        "tel:+79991234567",
        "٠٩٩٩",
        "+79991234567" + " " * 100 + "x",
    ],
)
def test_a_bad_phone_is_422_and_named(api: Api, world: World, phone: str) -> None:
    answer = api.ask(phone)
    assert (answer.status_code, answer.json["slug"]) == (422, "validation_failed")
    assert answer.json["errors"].keys() == {"phone"}
    assert world.rows(select(Message.id)) == []


@pytest.mark.parametrize(
    "code",
    [
        "４２３１",
        "٤٢٣١",
        4231,
        ["4231"],
        "423",
        "42311",
        "-423",
        "4 2 3",
        "42\t31",
        "4231\n",
        "42\u200931",
        "0x1F",
        "",
        None,
        "Код: 0042",
    ],
)
def test_a_bad_code_is_422_and_takes_no_try(api: Api, world: World, code: object) -> None:
    api.ask()
    answer = api.post("/auth/token", {"phone": PHONE, "code": code})
    assert (answer.status_code, answer.json["errors"].keys()) == (422, {"code"})
    assert world.challenge().attempts == 0


def test_unknown_addresses_and_methods_under_api_are_problems(api: Api) -> None:
    assert (api.get("/nothing").status_code, api.get("/nothing").json["slug"]) == (404, "not_found")
    wrong = api.get("/auth/code")
    assert (wrong.status_code, wrong.json["slug"]) == (405, "method_not_allowed")
    assert "POST" in wrong.headers["Allow"]


def test_a_failure_is_500_without_a_trace(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("with +79991234567 in it")

    monkeypatch.setattr("referral_app.services.challenges.ask", fail)
    answer = api.ask()
    assert (answer.status_code, answer.json["slug"]) == (500, "internal_error")
    assert "RuntimeError" not in answer.text
    assert "9991234567" not in answer.text


def test_a_chunked_body_over_the_limit_is_413(api: Api) -> None:
    answer = api.open(
        "POST",
        "/auth/code",
        input_stream=io.BytesIO(b" " * 200_000),
        content_type="application/json",
        headers={"Transfer-Encoding": "chunked"},  # its length is not known beforehand
        environ_base={"wsgi.input_terminated": True},
    )
    assert (answer.status_code, answer.json["slug"]) == (413, "payload_too_large")
