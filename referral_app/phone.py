"""Phone numbers: parse what people write, normalise to E.164, show, mask. Pure."""

import re
from collections.abc import Collection

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

from .typed import bare

# ASCII digits alone: "tel:", extensions and other scripts are refused before anything is parsed.
_WRITTEN = re.compile(r"\(?\+?[0-9().]{5,25}", re.ASCII)
_TRUNK_AFTER_COUNTRY = re.compile(r"\+78(\d{10})", re.ASCII)
_IN_TEXT = re.compile(r"(?<![0-9])\+?[0-9](?:[ ().-]{0,2}[0-9]){9,14}(?![0-9])")
_MOBILE = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)


class InvalidPhone(ValueError):
    """A text that is no mobile number of an allowed country."""


def parse(text: str, region: str, countries: Collection[str]) -> str:
    """Return a mobile number in E.164; raise InvalidPhone for anything else.

    A number without a country code is read as one of `region`; `countries` are the allowed ISO 3166 codes.
    """
    written = bare(text)
    if not _WRITTEN.fullmatch(written):
        raise InvalidPhone
    digits = re.sub(r"[().]", "", written)
    if doubled := _TRUNK_AFTER_COUNTRY.fullmatch(digits):
        digits = f"+7{doubled[1]}"  # people put +7 before a number that they know with an 8
    try:
        number = phonenumbers.parse(digits, region)
    except NumberParseException as error:
        raise InvalidPhone from error
    if (
        not phonenumbers.is_valid_number(number)
        or phonenumbers.region_code_for_number(number) not in countries
        or phonenumbers.number_type(number) not in _MOBILE
    ):
        raise InvalidPhone
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def show(e164: str) -> str:
    """Return `+7 999 123-45-67` for `+79991234567`."""
    return phonenumbers.format_number(phonenumbers.parse(e164, None), PhoneNumberFormat.INTERNATIONAL)


def mask(e164: str) -> str:
    """Return `+7 999 •••-••-67` for `+79991234567`: the country, the operator and the last two digits."""
    number = phonenumbers.parse(e164, None)
    shown = show(e164)
    first = len(str(number.country_code)) + (phonenumbers.length_of_national_destination_code(number) or 3)
    last = sum(letter.isdigit() for letter in shown) - 2
    masked, seen = [], 0
    for letter in shown:
        masked.append("•" if letter.isdigit() and first <= seen < last else letter)
        seen += letter.isdigit()
    return "".join(masked)


def mask_all(text: str) -> str:
    """Return a text with everything in it that could be a phone number replaced; for logs."""
    return _IN_TEXT.sub("[phone]", text)
