"""Invite codes: the alphabet without look-alikes, making, normalising. Pure."""

import re
import secrets

from .typed import bare

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
LENGTH = 6
_CODE = re.compile(rf"[{ALPHABET}]{{{LENGTH}}}")
_CYRILLIC = str.maketrans("АВЕКМНРСТУХ", "ABEKMHPCTYX")


def make() -> str:
    """Return a random code; 31^6 = 887,503,681 are possible."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def normalise(text: str) -> str | None:
    """Return the code in its stored form, or None for a text that cannot be one.

    People type any case, with spaces or hyphens, and on a Russian keyboard letters that look Latin.
    """
    code = bare(text).upper().translate(_CYRILLIC)
    return code if _CODE.fullmatch(code) else None
