"""Who may call what: one table of all routes; a route that is not in it fails."""

import pytest
from flask import Flask

from tests.factories import Browser

BY_ID = "/api/v1/profiles/<int(min=1, max=9223372036854775807):user_id>"
AVATAR = "GET /avatars/<int(min=1, max=9223372036854775807):user_id>"
ROUTES = {
    "GET /": "public",
    "GET /sign-in": "public",
    "POST /sign-in": "public",
    "POST /language": "public",
    "POST /theme": "public",
    "GET /profile/inviter": "public",
    "GET /sign-in/code": "public",
    "POST /sign-in/code": "public",
    "GET /sign-in/sms": "public",
    "POST /sign-out": "public",
    "GET /profile": "cookie",
    "POST /profile": "cookie",
    "GET /profile/avatar": "public",
    "POST /profile/avatar": "cookie",
    "GET /profile/delete": "public",
    "POST /profile/delete": "cookie",
    "GET /profile/export": "cookie",
    "GET /api/v1/profiles/me/export": "bearer",
    "DELETE /api/v1/profiles/me": "bearer",
    f"DELETE {BY_ID}": "owner",
    "GET /profile/phone": "public",
    "POST /profile/phone": "cookie",
    "GET /profile/phone/code": "cookie",
    "POST /profile/phone/code": "cookie",
    "GET /profile/phone/sms": "cookie",
    "POST /api/v1/profiles/me/phone": "bearer",
    "POST /api/v1/profiles/me/phone/confirm": "bearer",
    "POST /profile/avatar/delete": "cookie",
    AVATAR: "public",
    "PUT /api/v1/profiles/me/avatar": "bearer",
    "DELETE /api/v1/profiles/me/avatar": "bearer",
    "GET /profile/invitees": "cookie",
    "POST /profile/inviter": "cookie",
    "POST /api/v1/auth/code": "public",
    "POST /api/v1/auth/token": "public",
    "GET /api/v1/auth/challenges/<challenge_id>": "public",
    "POST /api/v1/auth/logout": "bearer",
    "POST /api/v1/auth/second-factor": "admin role",
    "GET /api/v1/profiles": "admin",
    "POST /api/v1/auth/refresh": "refresh",
    "GET /api/v1/auth/sessions": "bearer",
    "DELETE /api/v1/auth/sessions": "bearer",
    "DELETE /api/v1/auth/sessions/<session_id>": "bearer",
    "GET /api/v1/profiles/me": "bearer",
    "PATCH /api/v1/profiles/me": "bearer",
    "PUT /api/v1/profiles/me": "bearer",
    f"GET {BY_ID}": "owner or admin",
    f"PATCH {BY_ID}": "owner",
    f"PUT {BY_ID}": "owner",
    "GET /api/v1/profiles/me/invitees": "bearer",
    "POST /api/v1/profiles/me/inviter": "bearer",
    "GET /r/<code>": "public",
    "POST /profile/sessions/end": "cookie",
    "POST /profile/sessions/<session_id>/end": "cookie",
    "GET /api/openapi.json": "public",
    "GET /docs": "public",
    "GET /errors": "public",
    "GET /redoc": "public",
    "GET /swagger": "public",
    "GET /health/live": "public",
    "GET /health/ready": "public",
    "GET /static/<path:filename>": "public",
}


def test_every_route_is_in_the_table_with_its_guard(app: Flask) -> None:
    found = {}
    for rule in app.url_map.iter_rules():
        guard = getattr(app.view_functions[rule.endpoint], "guard", "public")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            found[f"{method} {rule.rule}"] = guard
    assert found == ROUTES


@pytest.mark.parametrize("route", [route for route, guard in ROUTES.items() if guard != "public"])
def test_a_stranger_is_not_let_in(browser: Browser, route: str) -> None:
    method, path = route.split(" ", 1)
    path = path.replace(BY_ID, "/api/v1/profiles/1")
    answer = browser.client.open(path, method=method, headers={"Sec-Fetch-Site": "same-origin"})
    if ROUTES[route] != "cookie":
        assert (answer.status_code, answer.json and answer.json["slug"]) == (401, "unauthorized")
    else:
        assert (answer.status_code, answer.location) == (303, "/")
