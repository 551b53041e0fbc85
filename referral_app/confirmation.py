"""Confirming a phone by a code from an SMS: what the doors share that do so, in the browser and by the API."""

from dataclasses import asdict
from typing import Any, NamedTuple

from flask import Response, request, session
from flask_babel import ngettext
from marshmallow import Schema, fields

from .errors import Refused
from .fields import Code, Phone, challenge_id
from .services import messages
from .services.challenges import Running
from .web import page, private

# What sending a code can be refused with.
SENDING = ("resend_too_soon", "too_many_codes", "too_many_requests", "too_many_alike", "sms_spent")
FINAL_STATES = {"delivered", "failed", "expired", "unknown"}
_ID = "Zk3qLw0c1mXr7uYbT2nVhA"


class CodeRequestSchema(Schema):
    """Where to send a code."""

    phone = Phone(required=True, metadata={"example": "8 (999) 123-45-67", "description": "As people write it."})
    challenge_id = challenge_id(
        metadata={"example": _ID, "description": "The challenge to send again; without it the phone's newest live one."}
    )


class CodeSchema(Schema):
    """A code as it was typed."""

    code = Code(required=True, metadata={"example": "0427", "description": "4 or 8 ASCII digits; spaces are dropped."})


class CodeEntrySchema(CodeSchema):
    """A code for a phone."""

    phone = Phone(required=True, metadata={"example": "+79991234567"})
    challenge_id = challenge_id(
        metadata={"example": _ID, "description": "Without it the phone's newest live challenge is meant."}
    )


class ChallengeSchema(Schema):
    """A running challenge."""

    challenge_id = fields.String(required=True, attribute="id", metadata={"example": _ID})
    phone = fields.String(required=True, metadata={"example": "+79991234567", "description": "E.164"})
    code_length = fields.Integer(required=True, metadata={"example": 4})
    expires_in = fields.Integer(required=True, metadata={"example": 600, "description": "Seconds."})
    resend_in = fields.Integer(required=True, metadata={"example": 60, "description": "Seconds."})
    code = fields.String(metadata={"example": "0427", "description": "Only while codes are shown for trying out."})


def answer(running: Running) -> dict[str, Any]:
    """Return a challenge as the API answers it; without the code, where codes are not shown."""
    return {name: value for name, value in asdict(running).items() if value is not None}


class Way(NamedTuple):
    """The addresses of one use: those that take the phone and the code, that of the poll, and the way back."""

    ask: str
    enter: str
    sms: str
    back: str
    is_sign_in: bool = False


def show(way: Way, running: Running, *, error: str | None = None, typed: str = "", wait: int = 0) -> Response:
    """Return the screen that takes the code; `wait` are the seconds until a limit lets it go on.

    `typed` is what may still be right or mended; a wrong code is not.
    """
    facts = {"error": error, "typed": typed[:64], "wait": wait, "final": FINAL_STATES}
    return page("code.html", way=way, running=running, message=messages.find_of_challenge(running.id), **facts)


def show_sms(way: Way, running: Running | None) -> Response:
    """Return what became of the SMS; 204 while it is what the page shows already."""
    message = messages.find_of_challenge(running.id) if running else None
    is_shown = running and running.state == "live" and message and message.state == request.args.get("shown")
    if running is None or message is None or is_shown:
        return private(Response(status=204))
    response = page("sms.html", way=way, running=running, message=message, final=FINAL_STATES)
    del response.headers["HX-Push-Url"]
    return response


def say(refusal: Refused) -> str:
    """Return the sentence for a code that was refused, with the tries that are left."""
    left = refusal.facts.get("tries_left")
    if refusal.slug != "wrong_code" or not left:
        return refusal.text
    sentence = ngettext(
        "The code did not match. %(num)s try left.", "The code did not match. %(num)s tries left.", left
    )
    return str(sentence)


def kept_challenge() -> str | None:
    """Return the id of the challenge that the browser has running."""
    kept = session.get("challenge")
    return kept if isinstance(kept, str) else None


def keep_challenge(running: Running) -> None:
    """Let the browser have a challenge running."""
    session["challenge"] = running.id


def drop_challenge() -> None:
    """Forget it."""
    session.pop("challenge", None)
