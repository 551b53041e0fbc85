"""The own profile by the API."""

from functools import partial
from typing import Any

from .. import identity, paging
from ..openapi import BODY, Blueprint
from ..paging import PageQuery
from ..services import invites, users
from ..services.users import Profile
from .schemas import (
    OWN_ID,
    EditSchema,
    InviteesPageSchema,
    InviterRequestSchema,
    ProfileSchema,
    ProfilesPageSchema,
    ProfilesQuery,
)

blp = Blueprint("profiles", __name__, url_prefix="/api/v1/profiles", description="Invite code, inviter, invitees.")


@blp.route("", methods=["GET"])
@identity.admin_required
@blp.arguments(ProfilesQuery, location="query")
@blp.response(200, ProfilesPageSchema)
@blp.refuses("unauthorized", "admin_required", "second_factor_required", "validation_failed")
@blp.doc(operationId="listProfiles")
def list_profiles(query: dict[str, Any]) -> dict[str, Any]:
    """List all users, for admins.

    The search goes by phone, invite code, e-mail and names, without regard to case, and takes е for ё.
    """
    found = query["search"]
    return paging.cut(query, users.count_profiles(found), partial(users.list_profiles, found, query["sort"])).envelope()


@blp.route("/me", methods=["GET"])
@identity.bearer_required
@blp.response(200, ProfileSchema)
@blp.refuses("unauthorized")
@blp.doc(operationId="getOwnProfile")
def own_profile() -> Profile:
    """Read the own profile."""
    return users.get_profile(identity.reader().user_id)


@blp.route(OWN_ID, methods=["GET"])
@identity.owner_or_admin_required
@blp.response(200, ProfileSchema)
@blp.refuses("unauthorized", "admin_required", "second_factor_required", "not_found")
@blp.doc(operationId="getProfile")
def profile(user_id: int) -> Profile:
    """Read a profile, as its owner or as an admin."""
    return users.get_profile(user_id)


@blp.route("/me", methods=["PATCH"])
@identity.bearer_required
@blp.arguments(EditSchema)
@blp.response(200, ProfileSchema)
@blp.refuses(*BODY, "unauthorized")
@blp.doc(operationId="editOwnProfile")
def edit_own_profile(body: dict[str, str | None]) -> Profile:
    """Change some of e-mail and names; what is missing stays."""
    return _edit(identity.reader().user_id, body)


@blp.route("/me", methods=["PUT"])
@identity.bearer_required
@blp.arguments(EditSchema)
@blp.response(200, ProfileSchema)
@blp.refuses(*BODY, "unauthorized")
@blp.doc(operationId="replaceOwnProfile")
def replace_own_profile(body: dict[str, str | None]) -> Profile:
    """Set e-mail and names; what is missing becomes null."""
    return _replace(identity.reader().user_id, body)


@blp.route(OWN_ID, methods=["PATCH"])
@identity.owner_required
@blp.arguments(EditSchema)
@blp.response(200, ProfileSchema)
@blp.refuses(*BODY, "unauthorized", "admin_required", "owner_required")
@blp.doc(operationId="editProfile")
def edit_profile(body: dict[str, str | None], user_id: int) -> Profile:
    """Change some of one's own e-mail and names, by the id."""
    return _edit(user_id, body)


@blp.route(OWN_ID, methods=["PUT"])
@identity.owner_required
@blp.arguments(EditSchema)
@blp.response(200, ProfileSchema)
@blp.refuses(*BODY, "unauthorized", "admin_required", "owner_required")
@blp.doc(operationId="replaceProfile")
def replace_profile(body: dict[str, str | None], user_id: int) -> Profile:
    """Set one's own e-mail and names, by the id."""
    return _replace(user_id, body)


def _edit(user_id: int, body: dict[str, str | None]) -> Profile:
    users.edit(user_id, **body)
    return users.get_profile(user_id)


def _replace(user_id: int, body: dict[str, str | None]) -> Profile:
    return _edit(user_id, dict.fromkeys(users.EDITABLE) | body)


@blp.route("/me/invitees", methods=["GET"])
@identity.bearer_required
@blp.arguments(PageQuery, location="query")
@blp.response(200, InviteesPageSchema)
@blp.refuses("unauthorized", "validation_failed")
@blp.doc(operationId="listInvitees")
def own_invitees(query: dict[str, int]) -> dict[str, Any]:
    """List those who activated the own code, the newest first."""
    me = identity.reader().user_id
    return paging.cut(query, users.count_invitees(me), partial(users.list_invitees, me)).envelope()


@blp.route("/me/inviter", methods=["POST"])
@identity.bearer_required
@blp.arguments(InviterRequestSchema)
@blp.response(200, ProfileSchema)
@blp.refuses(
    *BODY,
    "unauthorized",
    "unknown_invite_code",
    "inviter_already_set",
    "own_invite_code",
    "invite_cycle",
    "too_many_invite_codes",
)
@blp.doc(operationId="setInviter")
def set_inviter(body: dict[str, Any]) -> Profile:
    """Name one's inviter, once.

    The inviter then sees the phone of the one who names him. Nobody can name himself or anyone he has invited,
    directly or through others.
    """
    me = identity.reader().user_id
    invites.activate(me, body["invite_code"])
    return users.get_profile(me)
