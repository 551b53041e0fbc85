"""What goes in and out at sign-in, in pages and API."""

from typing import Any

from flask_babel import lazy_gettext as _l
from marshmallow import Schema, fields, pre_dump, validate

from .. import device, identity
from ..services.sessions import Running

_ID = "Zk3qLw0c1mXr7uYbT2nVhA"


class PasswordSchema(Schema):
    """An admin's password."""

    password = fields.String(
        required=True,
        validate=validate.Length(1, 200, error=_l("Use 1 to 200 characters.")),
        metadata={"example": "correct horse battery staple", "format": "password"},
    )


class ChallengeStateSchema(Schema):
    """How a challenge and its SMS stand."""

    state = fields.String(
        required=True,
        validate=validate.OneOf(["queued", "sending", "sent", "delivered", "failed", "expired", "unknown"]),
        metadata={"example": "delivered", "description": "That of the newest SMS."},
    )
    code_length = fields.Integer(required=True, metadata={"example": 4})
    expires_in = fields.Integer(required=True, metadata={"example": 541, "description": "Seconds."})
    resend_in = fields.Integer(required=True, metadata={"example": 1, "description": "Seconds."})
    tries_left = fields.Integer(required=True, metadata={"example": 3})


class TokensSchema(Schema):
    """The tokens of a session."""

    access_token = fields.String(
        required=True, metadata={"example": "eyJhbGciOiJIUzI1NiJ9.eyJ0eXBlIjoiYWNjZXNzIn0.c2ln"}
    )
    refresh_token = fields.String(
        required=True, metadata={"example": "eyJhbGciOiJIUzI1NiJ9.eyJ0eXBlIjoicmVmcmVzaCJ9.c2ln"}
    )
    token_type = fields.String(required=True, metadata={"example": "Bearer"})
    expires_in = fields.Integer(
        required=True, metadata={"example": 3600, "description": "Seconds of the access token."}
    )
    created = fields.Boolean(required=True, metadata={"example": True, "description": "This sign-in made the account."})


class SessionSchema(Schema):
    """One sign-in of one device."""

    id = fields.String(required=True, metadata={"example": _ID})
    kind = fields.String(required=True, metadata={"example": "browser", "enum": ["browser", "api"]})
    device = fields.String(required=True, metadata={"example": "Firefox, Windows"})
    address = fields.String(required=True, allow_none=True, metadata={"example": "203.0.113.7"})
    created_at = fields.AwareDateTime(required=True, metadata={"example": "2026-11-21T09:30:00+00:00"})
    last_seen_at = fields.AwareDateTime(
        required=True, metadata={"example": "2026-11-28T18:00:00+00:00", "description": "True to the hour."}
    )
    expires_at = fields.AwareDateTime(required=True, metadata={"example": "2026-12-21T09:30:00+00:00"})
    current = fields.Boolean(required=True, metadata={"example": False, "description": "The session that asks."})

    @pre_dump
    def add_device(self, running: Running, **_options: Any) -> dict[str, Any]:
        """Add what the reader makes of the row."""
        current = running.id == identity.reader().session_id
        return {**running._asdict(), "device": device.name(running.user_agent or ""), "current": current}


class SessionsPageSchema(Schema):
    """One page of the list of sessions."""

    count = fields.Integer(required=True, metadata={"example": 2})
    next = fields.String(required=True, allow_none=True, metadata={"example": None})
    previous = fields.String(required=True, allow_none=True, metadata={"example": None})
    results = fields.List(fields.Nested(SessionSchema), required=True)
