"""The own profile in the browser."""

from functools import partial

from flask import Blueprint, Response, flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from marshmallow import ValidationError

from .. import identity, paging
from ..errors import Refused
from ..fields import first_messages
from ..paging import PageQuery
from ..services import invites, users
from ..web import page
from .schemas import InviterRequestSchema

bp = Blueprint("profile_pages", __name__)


@bp.get("/profile")
@identity.sign_in_required
def profile() -> Response:
    """Show invite code, inviter and the newest invitees."""
    return _profile_page()


@bp.get("/profile/inviter")
def inviter_again() -> ResponseReturnValue:
    """Lead a reload of the form's answer to the form."""
    return redirect("/profile", 303)


@bp.post("/profile/inviter")
@identity.sign_in_required
def set_inviter() -> ResponseReturnValue:
    """Name the inviter, once."""
    typed = request.form.get("invite_code", "")
    try:
        body = InviterRequestSchema().load({"invite_code": typed})
        invites.activate(identity.reader().user_id, body["invite_code"])
    except ValidationError as error:
        return _profile_page(typed=typed, error=first_messages(error)["invite_code"]), 422
    except Refused as refusal:
        return _profile_page(typed=typed, error=_say(refusal)), 422
    flash(_("Saved. The one who invited you now sees your number."))
    return redirect("/profile", 303)


@bp.get("/profile/invitees")
@identity.sign_in_required
def invitees() -> ResponseReturnValue:
    """Show all invitees, page by page."""
    try:
        query = PageQuery().load({"page": request.args.get("page", "1")})
    except ValidationError as error:
        raise Refused("validation_failed") from error
    me = identity.reader().user_id
    shown = paging.cut(query, users.count_invitees(me), partial(users.list_invitees, me))
    return page("profile/invitees.html", list=shown)


def _profile_page(*, typed: str = "", error: str | None = None) -> Response:
    shown = users.get_profile(identity.reader().user_id)
    return page("profile/profile.html", profile=shown, typed=typed[:64], error=error)


def _say(refusal: Refused) -> str:
    if refusal.slug == "unknown_invite_code":
        return str(_("There is no such code. Codes never hold the digits 0 and 1 nor the letters I, L and O."))
    return refusal.text
