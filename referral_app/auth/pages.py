"""Sign-in in the browser: phone, code, out again."""

from flask import Blueprint, Response, flash, redirect, request, session
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from marshmallow import ValidationError

from .. import confirmation, identity, known
from ..confirmation import CodeRequestSchema, CodeSchema, Way
from ..errors import Refused
from ..fields import first_messages
from ..preferences import language
from ..services import accounts, challenges, sessions
from ..services.challenges import Running
from ..web import client_address, may_show_codes, page

bp = Blueprint("auth_pages", __name__)
WAY = Way("/sign-in", "/sign-in/code", "/sign-in/sms", "/", is_sign_in=True)


@bp.get("/")
def start() -> ResponseReturnValue:
    """Show the phone form; whoever is signed in goes on to the profile."""
    if identity.find_page_reader():
        return redirect("/profile", 303)
    return _phone_page()


@bp.get("/sign-in")
def ask_again() -> ResponseReturnValue:
    """Lead a reload of the form's answer to the form."""
    return redirect("/", 303)


@bp.post("/sign-in")
def ask_code() -> ResponseReturnValue:
    """Send a code, and lead to the page that takes it."""
    if identity.find_page_reader():
        return redirect("/profile", 303)
    typed = request.form.get("phone", "")
    try:
        body = CodeRequestSchema(only=["phone"]).load({"phone": typed})
    except ValidationError as error:
        return _phone_page(typed=typed, error=first_messages(error)["phone"]), 422
    try:
        running = challenges.ask(
            body["phone"],
            bound="browser",
            challenge_id=confirmation.kept_challenge(),
            address=client_address(),
            language=language(),
            known=known.find(body["phone"]),
        )
    except Refused as refusal:
        wait = refusal.facts["retry_after"]
        return _phone_page(typed=typed, refusal=refusal, wait=wait), 429, {"Retry-After": str(wait)}
    confirmation.keep_challenge(running)
    return redirect("/sign-in/code", 303)


@bp.get("/sign-in/code")
def code() -> ResponseReturnValue:
    """Show the code form of the browser's running challenge."""
    if identity.find_page_reader():
        return redirect("/profile", 303)
    running = _find_running()
    return confirmation.show(WAY, running) if running else redirect("/", 303)


@bp.post("/sign-in/code")
def sign_in() -> ResponseReturnValue:
    """Exchange the code for a session; a second post of the same finds the person signed in."""
    if identity.find_page_reader():
        return redirect("/profile", 303)
    running = _find_running()
    if running is None:
        return redirect("/", 303)
    try:
        body = CodeSchema().load({"code": request.form.get("code", "")})
        signed_in = accounts.sign_in(
            running.phone,
            body["code"],
            bound="browser",
            challenge_id=running.id,
            device=identity.device(),
            language=language(),
        )
    except ValidationError as error:
        typed = request.form.get("code", "")
        return confirmation.show(WAY, running, error=first_messages(error)["code"], typed=typed), 422
    except Refused as refusal:
        return confirmation.show(WAY, _find_running() or running, error=confirmation.say(refusal)), 422
    identity.remember_browser(signed_in.session.token or "")
    if signed_in.created:
        flash(_("You are in. Your profile is ready, and the invite code is yours."))
    response = redirect("/profile", 303)
    known.remember(response, running.phone)
    return response


@bp.get("/sign-in/sms")
def sms() -> ResponseReturnValue:
    """Tell what became of the SMS; 204 while it is what the page shows already."""
    return confirmation.show_sms(WAY, _find_running())


@bp.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End the browser's session."""
    reader = identity.find_page_reader()
    if reader:
        sessions.sign_out(reader)
    session.clear()
    return redirect("/", 303)


def _find_running() -> Running | None:
    kept = confirmation.kept_challenge()
    return challenges.look(kept, show_code=may_show_codes()) if kept else None


def _phone_page(
    *, typed: str = "", error: str | None = None, refusal: Refused | None = None, wait: int = 0
) -> Response:
    running = _find_running() if refusal else None
    return page("auth/phone.html", typed=typed[:100], error=error, refusal=refusal, wait=wait, running=running)
