"""The own profile in the browser: invite code, inviter, invitees, sessions."""

from functools import partial

from flask import Blueprint, Response, flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from marshmallow import ValidationError

from .. import identity, invitation, paging
from ..errors import Refused
from ..fields import first_messages
from ..paging import PageQuery
from ..services import invites, users
from ..web import page
from . import screen
from .schemas import EditSchema, InviterRequestSchema

bp = Blueprint("profile_pages", __name__)


@bp.get("/profile")
@identity.sign_in_required
def profile() -> Response:
    """Show invite code, inviter, the newest invitees and the sessions."""
    return screen.show()


@bp.post("/profile")
@identity.sign_in_required
def edit() -> ResponseReturnValue:
    """Set names and e-mail."""
    typed = {name: request.form.get(name, "") for name in users.EDITABLE}
    try:
        body = EditSchema().load(typed)
    except ValidationError as error:
        return screen.show(screen.Form("about", typed, first_messages(error))), 422
    users.edit(identity.reader().user_id, **body)
    flash(_("Saved."))
    return redirect("/profile", 303)


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
        return _inviter_page(typed, first_messages(error)["invite_code"]), 422
    except Refused as refusal:
        if "retry_after" in refusal.facts:
            wait = refusal.facts["retry_after"]
            return _inviter_page(typed, refusal.text, wait), 429, {"Retry-After": str(wait)}
        invitation.drop()
        return _inviter_page(typed, _say(refusal)), 422
    invitation.drop()
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


@bp.get("/r/<code>")
def invited(code: str) -> ResponseReturnValue:
    """Say who invites, and carry the code to the sign-in. Nothing is stored and no limit is used."""
    offer = invites.find_offer(code)
    if offer is None:
        return page("profile/unknown_link.html"), 404
    reader = identity.find_page_reader()
    mine = users.get_profile(reader.user_id) if reader else None
    standing = screen.standing_of(offer.owner_id, mine)
    # A browser that looks ahead has not followed the link.
    if standing == "open" and "prefetch" not in request.headers.get("Sec-Purpose", ""):
        invitation.carry(offer)
    return page("profile/invited.html", offered=offer, standing=standing, signed_in=mine is not None)


def _inviter_page(typed: str, error: str, wait: int = 0) -> Response:
    return screen.show(screen.Form("inviter", {"invite_code": typed[:64]}, {"invite_code": error}, wait))


def _say(refusal: Refused) -> str:
    if refusal.slug == "unknown_invite_code":
        return str(_("There is no such code. Codes never hold the digits 0 and 1 nor the letters I, L and O."))
    return refusal.text
