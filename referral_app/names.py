"""Names, other lines of text, and e-mail addresses: what is kept of what people type, what is refused. Pure."""

import re
import unicodedata

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

SPECIAL_USE_DOMAIN_NAMES.clear()  # a site of one's own may have its mail at a .local
LONGEST = 100
MAX_MARKS = 2
# Invisible, and often there after a paste.
_DROPPED = str.maketrans(dict.fromkeys("\u00ad\u061c\u200b\u200e\u200f\u2060\ufeff"))
# Letters and signs by their category, of which nothing is seen.
_BLANK = "\u115f\u1160\u2800\u3164\uffa0"
# They let a text show in another order than it is stored in.
_DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_REFUSED = {"Cc", "Cs", "Zl", "Zp"}


class InvalidText(ValueError):
    """A text that is no line of plain text."""


class TooLong(InvalidText):
    """A text that is much longer than any name; to look at it closer could take seconds."""


class InvalidEmail(ValueError):
    """A text that is no e-mail address."""


def clean(text: str) -> str:
    """Return a line as it is kept: trimmed, in NFC, empty where nothing of it is seen.

    Raise InvalidText for what would break the page around it. Refused are control characters, bidirectional overrides
    and more than two combining marks in a row. Markup and formulas are plain text: whoever shows them escapes them.
    """
    if len(text) > 10 * LONGEST:
        raise TooLong
    if _DIRECTIONS.search(text):
        raise InvalidText
    line = unicodedata.normalize("NFC", text.translate(_DROPPED)).strip()
    marks = 0
    for letter in line:
        category = unicodedata.category(letter)
        if category != "Cf":  # a joiner between them makes them no fewer
            marks = marks + 1 if category.startswith("M") else 0
        if category in _REFUSED or marks > MAX_MARKS:
            raise InvalidText
    return line if any(map(_is_seen, line)) else ""


def _is_seen(letter: str) -> bool:
    category = unicodedata.category(letter)
    return category != "Cf" and category[0] not in "MZ" and letter not in _BLANK


def clean_email(text: str) -> str:
    """Return an e-mail address as it was typed, trimmed; raise InvalidEmail for anything else."""
    try:
        typed = clean(text)
        mailbox(typed)
    except InvalidText as error:
        raise InvalidEmail from error
    return typed


def mailbox(email: str) -> str:
    """Return what is one and the same for all ways to write an address: NFKC, casefold, the domain in IDNA.

    Raise InvalidEmail for what is no address.
    """
    try:
        parts = validate_email(unicodedata.normalize("NFKC", email), check_deliverability=False, strict=True)
    except EmailNotValidError as error:
        raise InvalidEmail from error
    return f"{unicodedata.normalize('NFKC', parts.local_part.casefold())}@{parts.ascii_domain.casefold()}"
