"""The documents: current, whole, and true to the routes."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from referral_app.errors import PROBLEMS
from tests.factories import Api, Browser
from tests.test_routes import ROUTES

COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.json"


@pytest.fixture
def document(api: Api) -> Any:
    return api.get("/api/openapi.json").json


def operations(document: Any) -> dict[str, Any]:
    return {
        f"{method.upper()} {path}": operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in {"get", "post", "put", "patch", "delete"}
    }


def test_the_committed_file_is_current(document: Any) -> None:
    assert document == json.loads(COMMITTED.read_text()), "run make openapi"


def test_it_is_openapi_3_1_with_every_route_of_the_api(document: Any) -> None:
    assert document["openapi"] == "3.1.0"
    routes = {re.sub("<(.+?)>", r"{\1}", route) for route in ROUTES if " /api/v1/" in route}
    assert operations(document).keys() == routes


def test_every_operation_has_an_id_a_summary_and_its_true_security(document: Any) -> None:
    for route, operation in operations(document).items():
        assert operation["operationId"]
        assert operation["summary"]
        guard = ROUTES[re.sub("{(.+?)}", r"<\1>", route)]
        expected: Any = {"public": [], "bearer": [{"bearer": []}], "refresh": [{"refresh": []}]}[guard]
        assert operation.get("security", document["security"]) == expected, route


def test_every_documented_error_is_a_problem_with_an_example_of_its_slug(document: Any) -> None:
    documented = set()
    for operation in operations(document).values():
        for status, response in operation["responses"].items():
            if not status.startswith(("4", "5")):
                continue
            content = response["content"]["application/problem+json"]
            assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
            for slug, example in content["examples"].items():
                assert example["value"]["slug"] == slug
                assert str(PROBLEMS[slug].status) == status
                documented.add(slug)
    everywhere = {"bad_request", "forbidden", "method_not_allowed", "internal_error", "unavailable"}
    assert documented == set(PROBLEMS) - everywhere


def test_every_body_and_answer_has_examples(document: Any) -> None:
    schemas = document["components"]["schemas"]
    for name, schema in schemas.items():
        if name in {"Problem", "Profile", "InviteesPage", "SessionsPage"}:
            continue
        for field, described in schema["properties"].items():
            assert "example" in described, f"{name}.{field}"


def test_the_pages_are_served_from_here_and_linked_from_the_start(app: Flask, browser: Browser) -> None:
    start = browser.get("/").text
    for address in ("/redoc", "/docs", "/api/openapi.json"):
        assert f'href="{address}"' in start
        assert browser.get(address).status_code == 200
    assert browser.get("/swagger").location == "/docs"
    for name in ("htmx.min.js", "redoc.standalone.js", "swagger-ui-bundle.js", "swagger-ui.css"):
        assert browser.get(f"/static/vendor/{name}").status_code == 200
