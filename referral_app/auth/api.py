"""Sign-in by the API."""

from dataclasses import asdict
from typing import Any

from .. import identity
from ..openapi import Blueprint
from ..preferences import language
from ..services import accounts, challenges, sessions
from ..web import client_address, may_show_codes
from .schemas import ChallengeSchema, CodeRequestSchema, TokenRequestSchema, TokensSchema

blp = Blueprint("auth", __name__, url_prefix="/api/v1/auth", description="Sign-in by phone and code.")


@blp.route("/code", methods=["POST"])
@blp.arguments(CodeRequestSchema)
@blp.response(202, ChallengeSchema)
@blp.refuses(
    "invalid_json",
    "payload_too_large",
    "unsupported_media_type",
    "validation_failed",
    "resend_too_soon",
    "too_many_codes",
    "too_many_requests",
)
@blp.doc(operationId="requestCode", security=[])
def request_code(body: dict[str, Any]) -> dict[str, Any]:
    """Send a code by SMS.

    Known and unknown phones are answered alike. Asked again for a live challenge after `resend_in` seconds, the same
    code goes out again, and its tries and its end stay.
    """
    running = challenges.ask(
        body["phone"],
        bound="api",
        challenge_id=body.get("challenge_id"),
        address=client_address(),
        language=language(),
        show_code=may_show_codes(),
    )
    return {name: value for name, value in asdict(running).items() if value is not None}


@blp.route("/token", methods=["POST"])
@blp.arguments(TokenRequestSchema)
@blp.response(200, TokensSchema)
@blp.alt_response(201, schema=TokensSchema, description="Signed in, and the account was made")
@blp.refuses(
    "invalid_json",
    "wrong_code",
    "account_blocked",
    "payload_too_large",
    "unsupported_media_type",
    "validation_failed",
)
@blp.doc(operationId="exchangeCode", security=[])
def exchange_code(body: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Exchange a code for tokens.

    The first sign-in of a phone makes its account. A wrong, used or old code and one never asked for get the same
    answer; `tries_left` is added where the right `challenge_id` is named.
    """
    signed_in = accounts.sign_in(
        body["phone"],
        body["code"],
        bound="api",
        challenge_id=body.get("challenge_id"),
        device=identity.device(),
        language=language(),
    )
    answer = identity.tokens(signed_in.session) | {"created": signed_in.created}
    return answer, 201 if signed_in.created else 200


@blp.route("/logout", methods=["POST"])
@identity.bearer_required
@blp.response(204)
@blp.refuses("unauthorized")
@blp.doc(operationId="logOut")
def log_out() -> None:
    """End the session of the access token; all its tokens are refused from now on."""
    reader = identity.reader()
    sessions.end_session(reader, reader.session_id)
