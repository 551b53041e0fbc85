"""The API object, its strict JSON parser, and the documents made from the code."""

import json
from typing import Any

import flask_smorest
from flask import Blueprint as FlaskBlueprint
from flask import Flask, Request, Response, redirect, render_template
from flask_babel import gettext
from flask_smorest.utils import prepare_response
from marshmallow import RAISE, Schema, fields
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import RequestEntityTooLarge

from .errors import PROBLEMS, Refused, problem_type
from .version import __version__
from .web import MAX_BODY, page, uploaded

PROBLEM_JSON = "application/problem+json"
# What any JSON body can be refused with.
BODY = ("invalid_json", "payload_too_large", "unsupported_media_type", "validation_failed")
bp = FlaskBlueprint("documents", __name__)


class ProblemSchema(Schema):
    """An error, as RFC 9457 describes it."""

    type = fields.String(required=True, metadata={"description": "Names the kind of problem."})
    title = fields.String(required=True)
    status = fields.Integer(required=True, metadata={"description": "The HTTP status."})
    detail = fields.String(required=True, metadata={"description": "A sentence for a person."})
    slug = fields.String(required=True, metadata={"description": "The kind of problem, for programs."})
    errors = fields.Dict(
        keys=fields.String(),
        values=fields.Raw(),
        required=True,
        metadata={"description": "By field, what is wrong with it."},
    )
    retry_after = fields.Integer(metadata={"description": "Seconds to wait, with 429 and 503."})
    tries_left = fields.Integer(metadata={"description": "With `wrong_code`, where the challenge was named."})


class StrictParser(FlaskParser):
    """Takes one JSON object and nothing that two parsers could read in two ways."""

    DEFAULT_UNKNOWN_BY_LOCATION = {  # noqa: RUF012
        **FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION,
        "json": RAISE,
        "query": RAISE,
        "files": RAISE,
    }

    def load_json(self, req: Request, schema: Schema) -> Any:
        """Return the body's value."""
        body = req.get_data(cache=True)
        if req.content_length is None and len(body) >= MAX_BODY:
            raise Refused("payload_too_large")  # Werkzeug cuts a chunked body at the limit without a word
        if not body:
            raise Refused("invalid_json")
        if not req.is_json:
            raise Refused("unsupported_media_type")
        return strict_json(body)

    def load_files(self, req: Request, schema: Schema) -> Any:
        """Return the files of a form; they have a limit of their own."""
        if req.mimetype != "multipart/form-data":
            raise Refused("unsupported_media_type")
        try:
            uploaded()
        except RequestEntityTooLarge as error:
            raise Refused("picture_too_large") from error
        if req.form:  # as with JSON
            raise Refused("validation_failed", errors={name: [gettext("Unknown field.")] for name in req.form})
        return super().load_files(req, schema)


def strict_json(body: bytes) -> Any:
    """Parse JSON; refuse duplicate keys, NaN, NUL, lone surrogates, bad UTF-8, deep nesting and endless numbers."""
    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
        _check_texts(value)
    except (ValueError, RecursionError) as error:
        raise Refused("invalid_json") from error
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    named = dict(pairs)
    if len(named) != len(pairs):
        raise ValueError("a key stands twice")
    return named


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _check_texts(value: Any) -> None:
    """Raise ValueError for a text, at any depth, that holds NUL or a lone surrogate."""
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError("NUL")
        value.encode("utf-8")
    elif isinstance(value, dict):
        for name, inner in value.items():
            _check_texts(name)
            _check_texts(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_texts(inner)


class Blueprint(flask_smorest.Blueprint):
    """A blueprint of the API: strict bodies, and refusals documented from the table of errors."""

    ARGUMENTS_PARSER = StrictParser()

    def refuses(self, *slugs: str) -> Any:
        """Document what an operation refuses with."""
        responses: dict[int, Any] = {}
        for slug in slugs:
            problem = PROBLEMS[slug]
            content = {"schema": ProblemSchema, "examples": {}}
            response = responses.setdefault(problem.status, {"description": "", "content": {PROBLEM_JSON: content}})
            response["description"] += f"{', or ' if response['description'] else ''}{problem.title}"
            response["content"][PROBLEM_JSON]["examples"][slug] = {
                "value": {
                    "type": problem_type("https://pozovi.example", slug),
                    "title": problem.title,
                    "status": problem.status,
                    "detail": problem.detail,
                    "slug": slug,
                    "errors": {"phone": ["Enter a mobile number."]} if slug == "validation_failed" else {},
                }
            }
        return self.doc(responses=responses)


class Api(flask_smorest.Api):
    """The API: its errors are ours, for pages too."""

    ERROR_SCHEMA = ProblemSchema

    def _register_error_handlers(self) -> None:
        pass

    def _register_responses(self) -> None:
        response = {"description": "Any other problem", "schema": ProblemSchema}
        prepare_response(response, self.spec, PROBLEM_JSON)
        self.spec.components.response("DEFAULT_ERROR", response, lazy=True)

    def _register_etag_headers(self) -> None:
        pass

    def _register_pagination_header(self) -> None:
        pass


def init_app(app: Flask) -> Api:
    """Set the API up; its blueprints are registered on what this returns."""
    site_url = app.extensions["settings"].site_url
    app.config.update(
        API_TITLE="referral_app",
        API_VERSION=__version__,
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/api",
        OPENAPI_JSON_PATH="openapi.json",
        API_SPEC_OPTIONS={
            "info": {
                "description": "Sign-in by phone and code, invite codes, inviters. "
                "Errors are problem+json (RFC 9457); programs go by `slug`.",
            },
            "servers": [{"url": site_url}],
            "security": [{"bearer": []}],
            "components": {
                "securitySchemes": {
                    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                    "refresh": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT, the refresh token"},
                }
            },
        },
    )
    return Api(app)


@bp.get("/redoc")
def redoc() -> str:
    """Show the reference."""
    return render_template("docs/redoc.html")


@bp.get("/docs")
def swagger_ui() -> str:
    """Show the page for trying the API."""
    return render_template("docs/swagger.html")


@bp.get("/errors")
def errors() -> Response:
    """Show what each slug means; the `type` of a problem leads here."""
    return page("docs/errors.html", problems=PROBLEMS)


@bp.get("/swagger")
def swagger() -> Response:
    """Lead on from an address that people try."""
    return redirect("/docs", 308)  # type: ignore[return-value]
