"""Access tokens: only a whole, fresh, own one of a running session lets in."""

import warnings
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from flask import Flask
from sqlalchemy import update

from referral_app.db import db
from referral_app.models import Session as SessionRow
from referral_app.models import User
from tests.conftest import Clock
from tests.factories import Api, World


@pytest.fixture
def forge(app: Flask, world: World) -> Callable[..., str]:
    """Returns a user's access token with claims changed."""
    key = app.extensions["settings"].key("tokens")
    token = world.tokens(world.user())["access_token"]
    claims = jwt.decode(token, key, algorithms=["HS256"], options={"verify_exp": False, "verify_iat": False})

    def make(*, sign_with: bytes = key, algorithm: str = "HS256", without: str = "", **changes: Any) -> str:
        changed = {name: value for name, value in (claims | changes).items() if name != without}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the library warns of the weak tokens that are wanted here
            return jwt.encode(changed, "" if algorithm == "none" else sign_with, algorithm=algorithm)

    return make


def test_the_token_as_it_was_made_lets_in(api: Api, forge: Callable[..., str]) -> None:
    assert api.bearer(forge()).get("/profiles/me").status_code == 200


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer"])
def test_the_scheme_is_read_in_any_case(api: Api, forge: Callable[..., str], scheme: str) -> None:
    assert api.bearer(forge(), scheme).get("/profiles/me").status_code == 200


@pytest.mark.parametrize("name", ["exp", "iat", "sub", "jti", "sid", "type"])
def test_a_token_without_one_of_its_claims_is_401(api: Api, forge: Callable[..., str], name: str) -> None:
    assert api.bearer(forge(without=name)).get("/profiles/me").status_code == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"sign_with": b"another key, long enough to be taken"},
        {"algorithm": "none"},
        {"algorithm": "HS512"},
        {"type": "refresh"},
        {"type": None},
        {"sid": "another"},
        {"sid": 17},
        {"sub": "999999"},
        {"exp": "soon"},
        {"exp": 10**400},
        {"iat": [1]},
        {"iat": 10**12},
    ],
)
def test_forged_and_crossed_tokens_are_401(api: Api, forge: Callable[..., str], changes: dict[str, Any]) -> None:
    answer = api.bearer(forge(**changes)).get("/profiles/me")
    assert (answer.status_code, answer.json["slug"]) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Bearer a.b.c", "Basic dTpw", "Basic \xff", "Bearer \xff", "Token x", "Bearer a b"],
)
def test_other_headers_are_401(api: Api, header: str) -> None:
    assert api.get("/profiles/me", headers={"Authorization": header}).status_code == 401


def test_the_refresh_token_opens_nothing(api: Api, world: World) -> None:
    refresh = world.tokens(world.user())["refresh_token"]
    assert api.bearer(refresh).get("/profiles/me").status_code == 401


def test_an_access_token_lasts_an_hour_and_ten_seconds_for_the_clocks(api: Api, world: World, clock: Clock) -> None:
    mine = api(world.user())
    clock.move(hours=1, seconds=9)
    assert mine.get("/profiles/me").status_code == 200
    clock.move(seconds=1)
    assert mine.get("/profiles/me").status_code == 401


@pytest.mark.parametrize(
    "statement",
    [
        lambda now: update(User).values(blocked_at=now),
        lambda now: update(User).values(deleted_at=now, phone=None),
        lambda now: update(SessionRow).values(ended_at=now),
        lambda now: update(SessionRow).values(expires_at=now),
    ],
)
def test_blocking_deleting_and_ending_bite_at_the_next_request(
    api: Api, app: Flask, world: World, clock: Clock, statement: Callable[..., Any]
) -> None:
    mine = api(world.user())
    with app.app_context():
        db.session.execute(statement(clock.now()))
        db.session.commit()
    assert mine.get("/profiles/me").status_code == 401


def test_a_cookie_opens_nothing_in_the_api(app: Flask, api: Api) -> None:
    from tests.factories import Browser

    browser = Browser(app)
    browser.sign_in()
    assert browser.get("/api/v1/profiles/me").status_code == 401
