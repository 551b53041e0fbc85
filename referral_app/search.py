"""Searching: texts made alike, so that both databases find the same. Pure."""

import re
import unicodedata

_PHONE = re.compile(r"\+?[0-9][0-9 ().-]{2,}", re.ASCII)


def normalise(text: str) -> str:
    """Return a text without regard to case, to how its letters are composed, and to е and ё."""
    return unicodedata.normalize("NFKC", text).casefold().replace("ё", "е").replace("ë", "e")


def key(*texts: str | None) -> str:
    """Return what is searched in, of several texts."""
    return " ".join(normalise(text) for text in texts if text)


def terms(query: str) -> list[str]:
    """Return what has to be found, each somewhere in a key: words, or the digits of a phone as people write it."""
    written = normalise(query).strip()
    if _PHONE.fullmatch(written):
        digits = re.sub(r"[^0-9]", "", written)
        # An 8 before a number is the 7 of its country.
        return [digits[1:] if digits.startswith("8") and len(digits) >= 7 else digits]
    return written.split()
