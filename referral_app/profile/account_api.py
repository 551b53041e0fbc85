"""What a user does with the own data, by the API: the picture."""

from typing import Any

from .. import identity
from ..openapi import Blueprint
from ..services import avatars, users
from ..services.users import Profile
from .schemas import AvatarSchema, ProfileSchema

blp = Blueprint("account", __name__, url_prefix="/api/v1/profiles", description="The own picture.")


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
    "unavailable",
)
@blp.doc(operationId="replaceAvatar")
def replace_avatar(files: dict[str, Any]) -> Profile:
    """Make a picture one's avatar.

    It is cut to the square in its middle, turned upright and kept as a WebP of 256 × 256 without metadata.
    """
    me = identity.reader().user_id
    avatars.replace(me, files["file"].read())
    return users.get_profile(me)


@blp.route("/me/avatar", methods=["DELETE"])
@identity.bearer_required
@blp.response(204)
@blp.refuses("unauthorized")
@blp.doc(operationId="removeAvatar")
def remove_avatar() -> None:
    """Remove one's avatar, where there is one."""
    avatars.remove(identity.reader().user_id)
