"""What a user does with the own account, by the API: the picture, the phone, all the data."""

from typing import Any

from .. import confirmation, identity
from ..confirmation import SENDING, ChallengeSchema, CodeEntrySchema, CodeRequestSchema
from ..errors import Refused
from ..openapi import BODY, Blueprint
from ..preferences import language
from ..services import avatars, erasure, personal_data, phones, users
from ..services.personal_data import Stored
from ..services.users import Profile
from ..web import client_address, may_show_codes
from .schemas import OWN_ID, AvatarSchema, ExportSchema, ProfileSchema

blp = Blueprint("account", __name__, url_prefix="/api/v1/profiles", description="The own picture, phone and data.")


@blp.route("/me/avatar", methods=["PUT"])
@identity.bearer_required
@blp.arguments(AvatarSchema, location="files")
@blp.response(200, ProfileSchema)
@blp.refuses(
    "unauthorized",
    "picture_too_large",
    "unsupported_media_type",
    "validation_failed",
    "unusable_picture",
    "too_many_pictures",
)
@blp.doc(operationId="replaceAvatar")
def replace_avatar(files: dict[str, Any]) -> Profile:
    """Make a picture one's avatar.

    It is cut to the square in its middle, turned upright and kept as a WebP of 256 × 256 without metadata.
    """
    me = identity.reader().user_id
    try:
        avatars.replace(me, files["file"].read())
    except Refused as refusal:
        if refusal.slug == "unusable_picture":
            refusal.facts["errors"] = {"file": [refusal.text]}
        raise
    return users.get_profile(me)


@blp.route("/me/avatar", methods=["DELETE"])
@identity.bearer_required
@blp.response(204)
@blp.refuses("unauthorized")
@blp.doc(operationId="removeAvatar")
def remove_avatar() -> None:
    """Remove one's avatar, where there is one."""
    avatars.remove(identity.reader().user_id)


@blp.route("/me/phone", methods=["POST"])
@identity.bearer_required
@blp.arguments(CodeRequestSchema)
@blp.response(202, ChallengeSchema)
@blp.refuses(*BODY, *SENDING, "unauthorized", "sign_in_again", "own_phone")
@blp.doc(operationId="requestPhoneChange")
def request_phone_change(body: dict[str, Any]) -> dict[str, Any]:
    """Send a code to the number that is to be the new one.

    For a session younger than 15 minutes. Whether the number belongs to another account is told after the right code.
    """
    running = phones.ask(
        identity.reader(),
        body["phone"],
        bound="api",
        challenge_id=body.get("challenge_id"),
        address=client_address(),
        language=language(),
        show_code=may_show_codes(),
    )
    return confirmation.answer(running)


@blp.route("/me/phone/confirm", methods=["POST"])
@identity.bearer_required
@blp.arguments(CodeEntrySchema)
@blp.response(200, ProfileSchema)
@blp.refuses(*BODY, "wrong_code", "unauthorized", "phone_taken", "sms_spent")
@blp.doc(operationId="confirmPhoneChange")
def confirm_phone_change(body: dict[str, Any]) -> Profile:
    """Change the own number by the code that went to it.

    The other sessions end, and the old number gets an SMS.
    """
    reader = identity.reader()
    phones.confirm(
        reader,
        body["phone"],
        body["code"],
        bound="api",
        challenge_id=body.get("challenge_id"),
        address=client_address(),
        language=language(),
    )
    return users.get_profile(reader.user_id)


@blp.route("/me/export", methods=["GET"])
@identity.bearer_required
@blp.response(200, ExportSchema)
@blp.refuses("unauthorized")
@blp.doc(operationId="exportOwnData")
def export() -> Stored:
    """Read all that is stored about oneself."""
    return personal_data.collect(identity.reader().user_id)


@blp.route("/me", methods=["DELETE"])
@identity.bearer_required
@blp.response(204)
@blp.refuses("unauthorized")
@blp.doc(operationId="deleteOwnProfile")
def delete_own_profile() -> None:
    """Delete one's account for good.

    Phone, e-mail, names, picture, sessions and messages go, and the invite code works no more. Those who were invited
    stay so, by an account that is shown as deleted. The phone can sign up afresh.
    """
    erasure.erase(identity.reader().user_id)


@blp.route(OWN_ID, methods=["DELETE"])
@identity.owner_required
@blp.response(204)
@blp.refuses("unauthorized", "admin_required", "owner_required")
@blp.doc(operationId="deleteProfile")
def delete_profile(user_id: int) -> None:
    """Delete one's own account for good, by the id."""
    erasure.erase(user_id)
