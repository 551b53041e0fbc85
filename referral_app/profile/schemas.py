"""The profile as the API answers it, and what it takes."""

import base64
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_smorest.fields import Upload
from marshmallow import Schema, fields, pre_dump, validate

from ..config import settings
from ..fields import Email, Line, Name
from ..paging import PageQuery
from ..services.personal_data import Picture
from ..services.users import SORTS, Profile

OWN_ID = "/<int(min=1, max=9223372036854775807):user_id>"


def invite_url(code: str) -> str:
    """Return the link that is passed on."""
    return f"{settings().site_url}/r/{code}"


def avatar_path(profile: Profile) -> str | None:
    """Return the address of a user's picture on this site, which changes with the picture."""
    return f"/avatars/{profile.id}?v={profile.avatar_version}" if profile.avatar_version else None


def avatar_url(profile: Profile) -> str | None:
    """Return the same for others."""
    path = avatar_path(profile)
    return f"{settings().site_url}{path}" if path else None


class InviterSchema(Schema):
    """Who invited somebody; both are null where the inviter has deleted the account."""

    phone = fields.String(required=True, allow_none=True, metadata={"example": "+79032184011"})
    invite_code = fields.String(required=True, allow_none=True, metadata={"example": "8PW3HT"})


class InviteeSchema(Schema):
    """One who activated the code."""

    phone = fields.String(required=True, metadata={"example": "+79857736967"})
    invited_at = fields.AwareDateTime(required=True, metadata={"example": "2026-11-29T11:04:08+00:00"})


class ProfileSchema(Schema):
    """A user's own profile; `invitees` holds the newest 50, the list of invitees has them all."""

    id = fields.Integer(required=True, metadata={"example": 17})
    phone = fields.String(required=True, metadata={"example": "+79991234567"})
    email = fields.String(required=True, allow_none=True, metadata={"example": None})
    first_name = fields.String(required=True, allow_none=True, metadata={"example": None})
    last_name = fields.String(required=True, allow_none=True, metadata={"example": None})
    avatar_url = fields.String(required=True, allow_none=True, metadata={"example": None})
    invite_code = fields.String(required=True, metadata={"example": "7KM4QX"})
    invite_url = fields.String(required=True, metadata={"example": "https://pozovi.example/r/7KM4QX"})
    inviter = fields.Nested(InviterSchema, required=True, allow_none=True)
    invitees = fields.List(fields.Nested(InviteeSchema), required=True)
    invitees_count = fields.Integer(required=True, metadata={"example": 1})
    created_at = fields.AwareDateTime(required=True, metadata={"example": "2026-11-12T09:30:00+00:00"})

    @pre_dump
    def add_addresses(self, profile: Profile, **_options: Any) -> dict[str, Any]:
        """Add what depends on where the site is."""
        return {
            **vars(profile),
            "avatar_url": avatar_url(profile),
            "invite_url": invite_url(profile.invite_code),
        }


class ListedProfileSchema(ProfileSchema):
    """A user as the list of all has it: without invitees."""

    class Meta:
        """Leave out what would need a statement for each."""

        exclude = ("invitees",)


class ProfilesQuery(PageQuery):
    """The query of the list of all users."""

    search = Line(
        load_default="",
        validate=validate.Length(max=100, error=_l("Use 100 characters at most.")),
        metadata={"example": "999 123", "description": "Words or digits; phone, invite code, e-mail and names."},
    )
    sort = fields.String(
        load_default="-created_at",
        validate=validate.OneOf(
            [f"{sign}{name}" for name in SORTS for sign in ("", "-")],
            error=_l("Use a field of the list, with a minus for downwards."),
        ),
        metadata={"example": "-created_at", "description": "With a minus downwards."},
    )


class ProfilesPageSchema(Schema):
    """One page of the list of all users."""

    count = fields.Integer(required=True, metadata={"example": 1})
    next = fields.String(required=True, allow_none=True, metadata={"example": None})
    previous = fields.String(required=True, allow_none=True, metadata={"example": None})
    results = fields.List(fields.Nested(ListedProfileSchema), required=True)


class InviteesPageSchema(Schema):
    """One page of the list of invitees."""

    count = fields.Integer(required=True, metadata={"example": 1})
    next = fields.String(required=True, allow_none=True, metadata={"example": None})
    previous = fields.String(required=True, allow_none=True, metadata={"example": None})
    results = fields.List(fields.Nested(InviteeSchema), required=True)


class ExportedAvatarSchema(Schema):
    """The own picture, whole."""

    content_type = fields.String(required=True, metadata={"example": "image/webp"})
    created_at = fields.AwareDateTime(required=True, metadata={"example": "2026-11-12T09:30:00+00:00"})
    data = fields.String(required=True, metadata={"example": "UklGRg==", "description": "Base64."})

    @pre_dump
    def encode(self, picture: Picture, **_options: Any) -> dict[str, Any]:
        """Write the bytes as JSON can hold them."""
        data = base64.b64encode(picture.image).decode()
        return {"content_type": "image/webp", "created_at": picture.created_at, "data": data}


class ExportedSessionSchema(Schema):
    """One sign-in of one device, running or ended."""

    kind = fields.String(required=True, metadata={"example": "browser", "enum": ["browser", "api"]})
    user_agent = fields.String(required=True, allow_none=True, metadata={"example": "Mozilla/5.0"})
    address = fields.String(required=True, allow_none=True, metadata={"example": "203.0.113.7"})
    created_at = fields.AwareDateTime(required=True, metadata={"example": "2026-11-21T09:30:00+00:00"})
    last_seen_at = fields.AwareDateTime(required=True, metadata={"example": "2026-11-28T18:00:00+00:00"})
    refreshed_at = fields.AwareDateTime(required=True, allow_none=True, metadata={"example": None})
    expires_at = fields.AwareDateTime(required=True, metadata={"example": "2026-12-21T09:30:00+00:00"})
    ended_at = fields.AwareDateTime(required=True, allow_none=True, metadata={"example": None})
    second_factor_at = fields.AwareDateTime(required=True, allow_none=True, metadata={"example": None})


class ExportedHandoverSchema(Schema):
    """One attempt to hand an SMS to a provider; the outcome is null while it is under way."""

    provider = fields.String(required=True, metadata={"example": "smsc"})
    started_at = fields.AwareDateTime(required=True, metadata={"example": "2026-11-21T09:29:41+00:00"})
    ended_at = fields.AwareDateTime(required=True, allow_none=True, metadata={"example": "2026-11-21T09:29:42+00:00"})
    outcome = fields.String(required=True, allow_none=True, metadata={"example": "taken"})
    reason = fields.String(required=True, allow_none=True, metadata={"example": None})


class ExportedMessageSchema(Schema):
    """One SMS; its text is not kept where it held a code. The cost is in roubles."""

    kind = fields.String(required=True, metadata={"example": "code", "enum": ["code", "notice"]})
    phone = fields.String(required=True, allow_none=True, metadata={"example": "+79991234567"})
    language = fields.String(required=True, metadata={"example": "ru"})
    text = fields.String(required=True, allow_none=True, metadata={"example": None})
    provider = fields.String(required=True, allow_none=True, metadata={"example": "smsc"})
    state = fields.String(required=True, metadata={"example": "delivered"})
    error = fields.String(required=True, allow_none=True, metadata={"example": None})
    cost = fields.Decimal(required=True, allow_none=True, as_string=True, metadata={"example": "4.50"})
    created_at = fields.AwareDateTime(required=True, metadata={"example": "2026-11-21T09:29:40+00:00"})
    expires_at = fields.AwareDateTime(required=True, allow_none=True, metadata={"example": "2026-11-21T09:39:40+00:00"})
    sent_at = fields.AwareDateTime(required=True, allow_none=True, metadata={"example": "2026-11-21T09:29:42+00:00"})
    attempts = fields.List(fields.Nested(ExportedHandoverSchema), required=True, attribute="handovers")


class ExportedConfirmationSchema(Schema):
    """One phone that was, or was to be, confirmed by a code."""

    purpose = fields.String(required=True, metadata={"example": "sign_in", "enum": ["sign_in", "phone_change"]})
    phone = fields.String(required=True, allow_none=True, metadata={"example": "+79991234567"})
    bound = fields.String(required=True, metadata={"example": "browser", "enum": ["browser", "api"]})
    code_length = fields.Integer(required=True, metadata={"example": 4, "enum": [4, 8]})
    address = fields.String(required=True, allow_none=True, metadata={"example": "203.0.113.7"})
    known = fields.Boolean(required=True, allow_none=True, metadata={"example": False})
    wrong_codes = fields.Integer(required=True, attribute="attempts", metadata={"example": 0})
    sends = fields.Integer(required=True, metadata={"example": 1})
    created_at = fields.AwareDateTime(required=True, metadata={"example": "2026-11-21T09:29:40+00:00"})
    last_sent_at = fields.AwareDateTime(required=True, metadata={"example": "2026-11-21T09:29:40+00:00"})
    expires_at = fields.AwareDateTime(required=True, metadata={"example": "2026-11-21T09:39:40+00:00"})
    used_at = fields.AwareDateTime(required=True, allow_none=True, metadata={"example": "2026-11-21T09:30:00+00:00"})


class ExportSchema(Schema):
    """All that is stored about a user; the profile has all invitees."""

    profile = fields.Nested(ProfileSchema, required=True)
    invited_at = fields.AwareDateTime(
        required=True,
        allow_none=True,
        attribute="profile.invited_at",
        metadata={"example": "2026-11-12T09:31:00+00:00"},
    )
    role = fields.String(required=True, metadata={"example": "user", "enum": ["user", "admin"]})
    language = fields.String(required=True, allow_none=True, metadata={"example": "ru"})
    has_password = fields.Boolean(required=True, metadata={"example": False})
    avatar = fields.Nested(ExportedAvatarSchema, required=True, allow_none=True)
    sessions = fields.List(fields.Nested(ExportedSessionSchema), required=True)
    messages = fields.List(fields.Nested(ExportedMessageSchema), required=True)
    confirmations = fields.List(fields.Nested(ExportedConfirmationSchema), required=True)


class EditSchema(Schema):
    """What people tell about themselves; null and an empty text take it away."""

    first_name = Name(
        allow_none=True,
        metadata={"example": "Анна", "maxLength": 100, "description": "Shown to those who open the own link."},
    )
    last_name = Name(allow_none=True, metadata={"example": "Образцова", "maxLength": 100})
    email = Email(
        allow_none=True, metadata={"example": "anna@example.org", "maxLength": 254, "description": "Shown as typed."}
    )


class AvatarSchema(Schema):
    """A picture, as a form with a file."""

    file = Upload(required=True, metadata={"description": "JPEG, PNG or WebP, 5 MB and 25 megapixels at most."})


class InviterRequestSchema(Schema):
    """The code of the one who invited me."""

    invite_code = Line(
        required=True,
        validate=validate.Length(1, 64, error=_l("Enter the six characters of the code.")),
        metadata={"example": "8PW3HT", "description": "In any case, with spaces or hyphens."},
    )
