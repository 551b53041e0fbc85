"""What goes in and out at sign-in, in pages and API."""

from marshmallow import Schema, fields

from ..fields import Code, Phone, challenge_id

_ID = "Zk3qLw0c1mXr7uYbT2nVhA"


class CodeRequestSchema(Schema):
    """Where to send a code."""

    phone = Phone(required=True, metadata={"example": "8 (999) 123-45-67", "description": "As people write it."})
    challenge_id = challenge_id(
        metadata={"example": _ID, "description": "The challenge to send again; without it the phone's newest live one."}
    )


class CodeSchema(Schema):
    """A code as it was typed."""

    code = Code(required=True, metadata={"example": "0427", "description": "4 or 8 ASCII digits; spaces are dropped."})


class TokenRequestSchema(CodeSchema):
    """A code to exchange for tokens."""

    phone = Phone(required=True, metadata={"example": "+79991234567"})
    challenge_id = challenge_id(
        metadata={"example": _ID, "description": "Without it the phone's newest live challenge is meant."}
    )


class ChallengeSchema(Schema):
    """A running challenge."""

    challenge_id = fields.String(required=True, attribute="id", metadata={"example": _ID})
    phone = fields.String(required=True, metadata={"example": "+79991234567", "description": "E.164"})
    code_length = fields.Integer(required=True, metadata={"example": 4})
    expires_in = fields.Integer(required=True, metadata={"example": 600, "description": "Seconds."})
    resend_in = fields.Integer(required=True, metadata={"example": 60, "description": "Seconds."})
    code = fields.String(metadata={"example": "0427", "description": "Only while codes are shown for trying out."})


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
