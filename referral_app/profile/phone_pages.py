"""Changing the own phone in the browser: the number, then the code that goes to it."""

from flask import Blueprint, Response, flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from marshmallow import ValidationError

from .. import confirmation, identity, known, phone
from ..confirmation import CodeRequestSchema, CodeSchema, Way
from ..errors import Refused
from ..fields import first_messages
from ..preferences import language
from ..services import challenges, codes, phones
from ..services.challenges import Running
from ..web import client_address, may_show_codes
from . import screen

bp = Blueprint("phone_pages", __name__)
WAY = Way("/profile/phone", "/profile/phone/code", "/profile/phone/sms", "/profile")


@bp.get("/profile/phone")
def ask_again() -> ResponseReturnValue:
    """Lead a reload of the form's answer to the form."""
    return redirect("/profile", 303)


@bp.post("/profile/phone")
@identity.sign_in_required
def ask_code() -> ResponseReturnValue:
    """Send a code to the new number, and lead to the page that takes it."""
    typed = request.form.get("phone", "")
    try:
        body = CodeRequestSchema(only=["phone"]).load({"phone": typed})
        running = phones.ask(
            identity.reader(),
            body["phone"],
            bound="browser",
            challenge_id=confirmation.kept_challenge(),
            address=client_address(),
            language=language(),
        )
    except ValidationError as error:
        return _again(typed, first_messages(error)["phone"]), 422
    except Refused as refusal:
        if "retry_after" in refusal.facts:
            wait = refusal.facts["retry_after"]
            return _again(typed, refusal.text, wait), 429, {"Retry-After": str(wait)}
        live = _find_running()
        if refusal.slug == "sign_in_again" and live and live.state == "live":
            return confirmation.show(WAY, live, error=refusal.text), 422
        return _again(typed, refusal.text), 422
    confirmation.keep_challenge(running)
    return redirect("/profile/phone/code", 303)


@bp.get("/profile/phone/code")
@identity.sign_in_required
def code() -> ResponseReturnValue:
    """Show the code form of the running change."""
    running = _find_running()
    return confirmation.show(WAY, running) if running else redirect("/profile", 303)


@bp.post("/profile/phone/code")
@identity.sign_in_required
def confirm() -> ResponseReturnValue:
    """Change the number; a second post of the same finds it changed."""
    running = _find_running()
    if running is None or running.state == "used":
        return redirect("/profile", 303)
    typed = request.form.get("code", "")
    try:
        body = CodeSchema().load({"code": typed})
        phones.confirm(
            identity.reader(),
            running.phone,
            body["code"],
            bound="browser",
            challenge_id=running.id,
            address=client_address(),
            language=language(),
        )
    except ValidationError as error:
        return confirmation.show(WAY, running, error=first_messages(error)["code"], typed=typed), 422
    except Refused as refusal:
        if refusal.slug == "phone_taken":
            confirmation.drop_challenge()
            return _again(phone.show(running.phone), refusal.text), 422
        running = _find_running() or running
        if running.state == "used":  # by the same form, posted twice at once
            return redirect("/profile", 303)
        if "retry_after" in refusal.facts:
            wait = refusal.facts["retry_after"]
            again = confirmation.show(WAY, running, error=refusal.text, typed=typed, wait=wait)
            return again, 429, {"Retry-After": str(wait)}
        return confirmation.show(WAY, running, error=confirmation.say(refusal)), 422
    confirmation.drop_challenge()
    flash(_("Your number is changed. Other devices are signed out, and the old number gets an SMS about it."))
    response = redirect("/profile", 303)
    known.remember(response, running.phone)
    return response


@bp.get("/profile/phone/sms")
@identity.sign_in_required
def sms() -> ResponseReturnValue:
    """Tell what became of the SMS."""
    return confirmation.show_sms(WAY, _find_running())


def _find_running() -> Running | None:
    kept = confirmation.kept_challenge()
    if kept is None:
        return None
    purpose = codes.phone_change(identity.reader().user_id)
    return challenges.look(kept, purpose=purpose, show_code=may_show_codes())


def _again(typed: str, error: str, wait: int = 0) -> Response:
    return screen.show(screen.Form("phone", {"phone": typed[:100]}, {"phone": error}, wait))
