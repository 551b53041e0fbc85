"""What a user does with the own data, in the browser: the picture, the sessions, all the data."""

import json

from flask import Blueprint, Response, flash, redirect, request, session
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.exceptions import RequestEntityTooLarge

from .. import identity
from ..errors import Refused
from ..services import avatars, erasure, personal_data, sessions
from ..web import drain, uploaded
from . import screen
from .schemas import OWN_ID, ExportSchema

bp = Blueprint("account_pages", __name__)


@bp.get(f"/avatars{OWN_ID}")
def avatar(user_id: int) -> Response:
    """Show a picture to whoever knows its whole address, which nobody can guess.

    It is asked for anew each time: one that was replaced or removed comes from no cache.
    """
    picture = avatars.find(user_id, request.args.get("v", ""))
    if picture is None:
        raise Refused("not_found")
    response = Response(picture.image, mimetype="image/webp")
    response.headers["Cache-Control"] = "private, no-cache"
    response.set_etag(picture.version)
    response.make_conditional(request)
    return response


@bp.get("/profile/avatar")
@bp.get("/profile/delete")
def form_again() -> ResponseReturnValue:
    """Lead a reload of a form's answer to the form."""
    return redirect("/profile", 303)


@bp.post("/profile/avatar")
@identity.sign_in_required
def replace_avatar() -> ResponseReturnValue:
    """Make a picture the avatar."""
    try:
        file = uploaded().get("file")
        if not file:
            return _picture_again(_("Choose a picture.")), 422
        avatars.replace(identity.reader().user_id, file.read())
    except RequestEntityTooLarge:
        drain()
        return _picture_again(Refused("picture_too_large").text), 422
    except Refused as refusal:
        wait = refusal.facts.get("retry_after")
        if wait is None:
            return _picture_again(refusal.text), 422
        return _picture_again(refusal.text), 429, {"Retry-After": str(wait)}
    flash(_("Saved."))
    return redirect("/profile", 303)


@bp.post("/profile/avatar/delete")
@identity.sign_in_required
def remove_avatar() -> ResponseReturnValue:
    """Remove the avatar."""
    avatars.remove(identity.reader().user_id)
    flash(_("The picture is removed."))
    return redirect("/profile", 303)


def _picture_again(error: str) -> Response:
    return screen.show(screen.Form("avatar", errors={"file": error}))


@bp.post("/profile/sessions/<session_id>/end")
@identity.sign_in_required
def end_session(session_id: str) -> ResponseReturnValue:
    """End one session; one that has ended meanwhile is what was wanted."""
    try:
        sessions.end_session(identity.reader().user_id, session_id)
    except Refused:
        return redirect("/profile", 303)
    flash(_("Signed out there."))
    return redirect("/profile", 303)


@bp.post("/profile/sessions/end")
@identity.sign_in_required
def end_other_sessions() -> ResponseReturnValue:
    """End all sessions but this one."""
    sessions.end_other_sessions(identity.reader())
    flash(_("Signed out everywhere else."))
    return redirect("/profile", 303)


@bp.get("/profile/export")
@identity.sign_in_required
def export() -> Response:
    """Hand out all that is stored about the reader, as a file."""
    stored = ExportSchema().dump(personal_data.collect(identity.reader().user_id))
    response = Response(json.dumps(stored, ensure_ascii=False, indent=2), mimetype="application/json")
    response.headers["Content-Disposition"] = 'attachment; filename="my-data.json"'
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.post("/profile/delete")
@identity.sign_in_required
def delete() -> ResponseReturnValue:
    """Delete the account for good."""
    if request.form.get("sure") != "yes":
        return screen.show(screen.Form("delete", errors={"sure": _("Tick that you understand.")})), 422
    erasure.erase(identity.reader().user_id)
    session.clear()
    flash(_("Your profile is deleted. The same number can sign up afresh."))
    return redirect("/", 303)
