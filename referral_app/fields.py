"""Fields that the doors share: what people type, checked once for API and pages alike."""

import re
from typing import Any

from flask_babel import lazy_gettext as _l
from marshmallow import ValidationError, fields, validate

from . import names, phone
from .config import settings


class Line(fields.String):
    """One line of text: no control character, no lone surrogate."""

    default_error_messages = {"line": _l("Use one line of plain text.")}  # noqa: RUF012

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        if any(ord(letter) < 32 or 0xD800 <= ord(letter) <= 0xDFFF or ord(letter) == 127 for letter in text):
            raise self.make_error("line")
        return text


class Phone(Line):
    """A mobile number as people write it; loaded as E.164."""

    default_error_messages = {  # noqa: RUF012
        "phone": _l("Enter a mobile number, for example 8 999 123-45-67."),
        "required": _l("Enter a mobile number, for example 8 999 123-45-67."),
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        chosen = settings()
        if len(text) > 100:
            raise self.make_error("phone")
        try:
            return phone.parse(text, chosen.phone_region, chosen.phone_countries)
        except phone.InvalidPhone as error:
            raise self.make_error("phone") from error


class Name(Line):
    """A name, trimmed and in NFC; one that is empty is loaded as None."""

    default_error_messages = {"long": _l("Use 100 characters at most.")}  # noqa: RUF012

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str | None:  # type: ignore[override]
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            name = names.clean(text)
        except names.TooLong as error:
            raise self.make_error("long") from error
        except names.InvalidText as error:
            raise self.make_error("line") from error
        if len(name) > names.LONGEST:
            raise self.make_error("long")
        return name or None


class Email(Line):
    """An e-mail address as it was typed, trimmed; one that is empty is loaded as None."""

    default_error_messages = {"email": _l("Enter an e-mail address, for example anna@example.org.")}  # noqa: RUF012

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str | None:  # type: ignore[override]
        text = super()._deserialize(value, attr, data, **kwargs)
        if not text.strip():
            return None
        try:
            return names.clean_email(text)
        except names.InvalidEmail as error:
            raise self.make_error("email") from error


class Code(Line):
    """A one-time code: 4 or 8 ASCII digits, spaces between them dropped."""

    default_error_messages = {  # noqa: RUF012
        "code": _l("Enter the digits of the code alone."),
        "required": _l("Enter the digits of the code alone."),
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        digits = text.replace(" ", "").replace("\u00a0", "")
        if not re.fullmatch(r"[0-9]{4}|[0-9]{8}", digits):
            raise self.make_error("code")
        return digits


def challenge_id(**options: Any) -> fields.String:
    """Return the field of a challenge's id."""
    return Line(validate=validate.Length(1, 64, error=_l("Use the id that came with the code.")), **options)


def first_messages(error: ValidationError) -> dict[str, str]:
    """Return the first sentence for each field of a form."""
    messages = error.normalized_messages()  # type: ignore[no-untyped-call]
    return {field: str(lines[0] if isinstance(lines, list) else lines) for field, lines in messages.items()}
