"""Sign-in by the API."""

from dataclasses import asdict
from functools import partial
from typing import Any

from .. import confirmation, identity, paging
from ..confirmation import SENDING, ChallengeSchema, CodeEntrySchema, CodeRequestSchema
from ..openapi import BODY, Blueprint
from ..paging import PageQuery
from ..preferences import language
from ..services import accounts, admins, challenges, messages, sessions
from ..web import client_address, may_show_codes
from .schemas import (
    ChallengeStateSchema,
    PasswordSchema,
    SessionsPageSchema,
    TokensSchema,
)

blp = Blueprint("auth", __name__, url_prefix="/api/v1/auth", description="Sign-in by phone and code.")


@blp.route("/code", methods=["POST"])
@blp.arguments(CodeRequestSchema)
@blp.response(202, ChallengeSchema)
@blp.refuses(*BODY, *SENDING)
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
    return confirmation.answer(running)


@blp.route("/challenges/<challenge_id>", methods=["GET"])
@blp.response(200, ChallengeStateSchema)
@blp.refuses("not_found")
@blp.doc(operationId="getChallenge", security=[])
def challenge_state(challenge_id: str) -> dict[str, Any]:
    """Tell what became of the SMS, when it can go again, and the tries left; never the code."""
    running = challenges.get_of_api(challenge_id)
    message = messages.find_of_challenge(challenge_id)
    return {**asdict(running), "state": message.state if message else "unknown"}


@blp.route("/token", methods=["POST"])
@blp.arguments(CodeEntrySchema)
@blp.response(200, TokensSchema)
@blp.alt_response(201, schema=TokensSchema, description="Signed in, and the account was made")
@blp.refuses(*BODY, "wrong_code", "account_blocked")
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
    sessions.sign_out(identity.reader())


@blp.route("/second-factor", methods=["POST"])
@identity.admin_role_required
@blp.arguments(PasswordSchema)
@blp.response(204)
@blp.refuses(
    *BODY, "wrong_password", "unauthorized", "admin_required", "password_not_set", "weak_password", "too_many_passwords"
)
@blp.doc(operationId="giveSecondFactor")
def give_second_factor(body: dict[str, str]) -> None:
    """Give an admin's password, which opens what is for admins to this session.

    The very first admin has none yet: within the session that made the account, this sets it.
    """
    admins.give_second_factor(identity.reader(), body["password"])


@blp.route("/refresh", methods=["POST"])
@identity.refresh_required
@blp.response(200, TokensSchema)
@blp.refuses("unauthorized")
@blp.doc(operationId="refreshTokens", security=[{"refresh": []}])
def refresh_tokens() -> dict[str, Any]:
    """Exchange the refresh token, sent as the bearer, for new tokens.

    A refresh token works once. The same again within 10 seconds is 401 and nothing more, for a client that tries again;
    later it means that somebody else has the token, and the session ends.
    """
    return identity.tokens(sessions.refresh(*identity.refresh_claims())) | {"created": False}


@blp.route("/sessions", methods=["GET"])
@identity.bearer_required
@blp.arguments(PageQuery, location="query")
@blp.response(200, SessionsPageSchema)
@blp.refuses("unauthorized", "validation_failed")
@blp.doc(operationId="listSessions")
def list_sessions(query: dict[str, int]) -> dict[str, Any]:
    """List the running sessions, in browsers and by the API, the newest first."""
    me = identity.reader().user_id
    return paging.cut(query, sessions.count_running(me), partial(sessions.list_running, me)).envelope()


@blp.route("/sessions", methods=["DELETE"])
@identity.bearer_required
@blp.response(204)
@blp.refuses("unauthorized")
@blp.doc(operationId="endOtherSessions")
def end_other_sessions() -> None:
    """End all sessions but this one."""
    sessions.end_other_sessions(identity.reader())


@blp.route("/sessions/<session_id>", methods=["DELETE"])
@identity.bearer_required
@blp.response(204)
@blp.refuses("unauthorized", "not_found")
@blp.doc(operationId="endSession")
def end_session(session_id: str) -> None:
    """End one session; its tokens are refused from the next request on."""
    sessions.end_session(identity.reader().user_id, session_id)
