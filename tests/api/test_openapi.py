"""The documents: current, whole, and true to the routes."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from referral_app.errors import PROBLEMS
from referral_app.postman import collection
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


# By the routes as the document writes them.
GUARDS = {re.sub(r"<(?:.+:)?(\w+)>", r"{\1}", route): guard for route, guard in ROUTES.items() if " /api/v1/" in route}


def test_the_committed_file_is_current(document: Any) -> None:
    assert document == json.loads(COMMITTED.read_text()), "run make openapi"


def test_it_is_openapi_3_1_with_every_route_of_the_api(document: Any) -> None:
    assert document["openapi"] == "3.1.0"
    assert operations(document).keys() == GUARDS.keys()


def test_every_operation_has_an_id_a_summary_and_its_true_security(document: Any) -> None:
    for route, operation in operations(document).items():
        assert operation["operationId"]
        assert operation["summary"]
        expected: Any = {"public": [], "refresh": [{"refresh": []}]}.get(GUARDS[route], [{"bearer": []}])
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
    everywhere |= {"second_factor_stale"}  # of a guard that no route has yet
    assert documented == set(PROBLEMS) - everywhere


NESTED = {"Problem", "Profile", "Avatar", "Export", "ExportedMessage", "ListedProfile"}


def test_every_body_and_answer_has_examples(document: Any) -> None:
    schemas = document["components"]["schemas"]
    for name, schema in schemas.items():
        if name.endswith("Page") or name in NESTED:
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


def test_the_collection_is_current_and_has_every_operation(document: Any) -> None:
    made = collection(document)
    assert made == json.loads(COMMITTED.with_name("postman.json").read_text()), "run make openapi"
    methods = [(item["request"]["method"], item["request"]["url"]) for item in made["item"]]
    expected = [tuple(re.sub(r"{(\w+)}", r"{{\1}}", route).split()) for route in operations(document)]
    assert sorted(methods) == sorted((method, "{{base_url}}" + path) for method, path in expected)
    names = [item["name"] for item in made["item"]]
    assert [names[-3][:15], names[-2][:6], names[-1][:6]] == ["End the session", "Delete", "Delete"]


def test_the_collection_carries_code_and_tokens_on(document: Any) -> None:
    items = {item["request"]["url"].rsplit("/", 1)[1]: item for item in collection(document)["item"]}
    scripts = {name: "".join(item["event"][0]["script"]["exec"]) for name, item in items.items()}
    assert "set('code'" in scripts["code"]
    assert "set('access_token'" in scripts["token"]
    assert "set('refresh_token'" in scripts["refresh"]
    assert items["refresh"]["request"]["auth"]["bearer"][0]["value"] == "{{refresh_token}}"
    assert items["code"]["request"]["auth"] == {"type": "noauth"}


def test_the_command_writes_the_collection(app: Flask, tmp_path: Path) -> None:
    output = tmp_path / "postman.json"
    result = app.test_cli_runner().invoke(args=["openapi", "postman", str(COMMITTED), str(output)])
    assert result.exit_code == 0
    assert output.read_text() == COMMITTED.with_name("postman.json").read_text()


def test_the_type_of_a_problem_leads_to_its_explanation(api: Api, browser: Browser) -> None:
    kind = api.ask("1").json["type"]
    assert kind == "http://127.0.0.1:8000/errors#validation_failed"
    page = browser.get("/errors").text
    for slug in PROBLEMS:
        assert f'id="{slug}"' in page
