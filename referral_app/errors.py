"""What a service refuses with, the only table of statuses, and how a refusal looks to whoever asked."""

import logging
from http import HTTPStatus
from typing import Any, NamedTuple

from flask import Flask, Response, g, jsonify, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from .config import settings
from .web import drain, page

log = logging.getLogger(__name__)


def N_(text: str) -> str:  # noqa: N802  the marker's usual name
    """Mark a text for the catalogues; it is translated where it is shown."""
    return text


class Refused(Exception):
    """A command says no: a slug of PROBLEMS and the facts that go with it.

    `retry_after` (whole seconds) becomes the header of that name, `errors` names fields.
    """

    def __init__(self, slug: str, **facts: Any) -> None:
        super().__init__(slug)
        self.slug = slug
        self.facts = facts

    @property
    def text(self) -> str:
        """Return the sentence for a person."""
        return str(gettext(PROBLEMS[self.slug].detail))


class Problem(NamedTuple):
    """Status, title and sentence of one kind of refusal."""

    status: int
    title: str
    detail: str


PROBLEMS = {
    "bad_request": Problem(400, N_("Bad request"), N_("The request cannot be understood.")),
    "invalid_json": Problem(400, N_("Invalid JSON"), N_("The body has to be one JSON object, in UTF-8.")),
    "wrong_code": Problem(400, N_("Wrong code"), N_("The code did not match, was used already or is too old.")),
    "wrong_password": Problem(400, N_("Wrong password"), N_("The password did not match.")),
    "unauthorized": Problem(401, N_("Sign in first"), N_("This needs a valid access token of a running session.")),
    "account_blocked": Problem(403, N_("Account blocked"), N_("This account is blocked.")),
    "forbidden": Problem(403, N_("Not from this site"), N_("The form came from another site. Nothing was changed.")),
    "sign_in_again": Problem(
        403, N_("Sign in again"), N_("This needs a sign-in within the last 15 minutes. Sign in again.")
    ),
    "owner_required": Problem(403, N_("For its owner"), N_("A profile is changed by its owner alone.")),
    "admin_required": Problem(403, N_("For admins"), N_("This is for admins alone.")),
    "second_factor_required": Problem(
        403, N_("Second factor needed"), N_("Give your password at /api/v1/auth/second-factor first.")
    ),
    "second_factor_stale": Problem(
        403, N_("Second factor too old"), N_("This needs a password given within the last 15 minutes. Give it again.")
    ),
    "password_not_set": Problem(
        403, N_("No password yet"), N_("This account has no password. Set one with: flask users create-admin PHONE")
    ),
    "not_found": Problem(404, N_("Not found"), N_("There is nothing at this address.")),
    "unknown_invite_code": Problem(404, N_("Unknown invite code"), N_("There is no such invite code.")),
    "method_not_allowed": Problem(405, N_("Method not allowed"), N_("This address does not know the method.")),
    "inviter_already_set": Problem(409, N_("Inviter already set"), N_("The inviter is set already and stays.")),
    "own_invite_code": Problem(409, N_("Own invite code"), N_("This is your own code. Enter that of your inviter.")),
    "invite_cycle": Problem(
        409, N_("Circle of invitations"), N_("You invited this person yourself, directly or through others.")
    ),
    "own_phone": Problem(409, N_("Own number"), N_("This is your number already.")),
    "phone_taken": Problem(
        409, N_("Number taken"), N_("This number belongs to another account. The organiser can help.")
    ),
    "payload_too_large": Problem(413, N_("Too large"), N_("The body may have 64 KB at most.")),
    "picture_too_large": Problem(413, N_("Picture too large"), N_("A picture may have 5 MB at most.")),
    "unsupported_media_type": Problem(
        415, N_("Wrong content type"), N_("Send application/json, or a picture as multipart/form-data.")
    ),
    "validation_failed": Problem(422, N_("Check the fields"), N_("Some values cannot be used.")),
    "unusable_picture": Problem(
        422,
        N_("Picture cannot be used"),
        N_("This picture cannot be read. Choose a JPEG, PNG or WebP of 25 megapixels at most."),
    ),
    "weak_password": Problem(422, N_("Password too short"), N_("Use a password of 8 characters or more.")),
    "resend_too_soon": Problem(429, N_("Too soon"), N_("The code was sent a moment ago. Wait before asking again.")),
    "too_many_codes": Problem(429, N_("Too many codes"), N_("Too many codes went to this number. Wait a while.")),
    "too_many_requests": Problem(429, N_("Too many requests"), N_("Too many requests came from your address.")),
    "too_many_alike": Problem(
        429, N_("Too many codes"), N_("Too many codes went to numbers like this one and were not entered.")
    ),
    "sms_spent": Problem(429, N_("No more SMS for now"), N_("The site has sent all the SMS that it may for now.")),
    "too_many_invite_codes": Problem(
        429, N_("Too many invite codes"), N_("You have tried too many codes that do not exist.")
    ),
    "too_many_passwords": Problem(429, N_("Too many passwords"), N_("Too many passwords were wrong.")),
    "too_many_pictures": Problem(
        429, N_("Too many pictures"), N_("Other pictures are being prepared. Try again in a few seconds.")
    ),
    "internal_error": Problem(500, N_("Error on our side"), N_("It was recorded. What was saved before is safe.")),
    "unavailable": Problem(503, N_("Back soon"), N_("The site cannot answer at the moment. Try again shortly.")),
}
# What marshmallow says by itself, marked for the catalogues.
SENTENCES = (
    N_("Missing data for required field."),
    N_("Field may not be null."),
    N_("Not a valid string."),
    N_("Not a valid integer."),
    N_("Unknown field."),
    N_("Invalid input type."),
)
# What Flask, Werkzeug and webargs raise by themselves.
_SLUGS = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "payload_too_large",
    415: "unsupported_media_type",
    422: "validation_failed",
    429: "too_many_requests",
    503: "unavailable",
}


def problem_type(site_url: str, slug: str) -> str:
    """Return the URI that names a kind of problem, where a person can read about it (RFC 9457, 3.1.1)."""
    return f"{site_url}/errors#{slug}"


def init_app(app: Flask) -> None:
    """Answer whatever is raised: problem+json under `/api/`, a page elsewhere."""
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(HTTPException, _http_error)
    for gone in (OperationalError, InterfaceError, PoolTimeout):
        app.register_error_handler(gone, _database_away)
    app.register_error_handler(Exception, _failed)


def answer(refusal: Refused) -> Response:
    """Return a refusal as its answer."""
    problem, facts = PROBLEMS[refusal.slug], refusal.facts
    drain()
    if request.path.startswith("/api/"):
        body = {
            "type": problem_type(settings().site_url, refusal.slug),
            "title": gettext(problem.title),
            "status": problem.status,
            "detail": gettext(problem.detail),
            "slug": refusal.slug,
            "errors": facts.get("errors", {}),
        }
        body |= {name: value for name, value in facts.items() if name != "errors"}
        response = jsonify(body)
        response.content_type = "application/problem+json"
    else:
        response = page(
            "error.html",
            status=problem.status,
            problem=problem,
            request_id=g.get("request_id"),
            wait=facts.get("retry_after"),
        )
    response.status_code = problem.status
    if "retry_after" in facts:
        response.headers["Retry-After"] = str(facts["retry_after"])
    if problem.status == HTTPStatus.UNAUTHORIZED and request.path.startswith("/api/"):
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _refused(refusal: Refused) -> ResponseReturnValue:
    return answer(refusal)


def _http_error(error: HTTPException) -> ResponseReturnValue:
    if error.code is None or error.code < HTTPStatus.BAD_REQUEST or error.response is not None:
        return error  # a redirect
    slug = _SLUGS.get(error.code, "internal_error" if error.code >= HTTPStatus.INTERNAL_SERVER_ERROR else "bad_request")
    data = getattr(error, "data", None) or {}  # webargs' messages, by place and field
    response = answer(Refused(slug, errors=_by_field(data.get("messages") or {})))
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After"}:
            response.headers[name] = value
    return response


def _by_field(messages: dict[str, dict[str, Any]]) -> dict[str, list[str]]:
    """Return webargs' sentences by field, without the place (body, query) and in the reader's language."""
    return {
        field: [gettext(str(line)) for line in (lines if isinstance(lines, list) else [lines])]
        for place in messages.values()
        for field, lines in place.items()
    }


def _database_away(error: Exception) -> ResponseReturnValue:
    log.error("the database does not answer", exc_info=error)
    g.page_reader = None  # the page that says so must not ask it who reads
    return answer(Refused("unavailable", retry_after=5))


def _failed(error: Exception) -> ResponseReturnValue:
    log.error("a request failed", exc_info=error)
    g.page_reader = None
    return answer(Refused("internal_error"))
