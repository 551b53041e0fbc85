"""What people type or paste, freed of what is not meant. Pure."""

import re
import unicodedata

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_DASHES = "−⁃"  # what is none by its category, and looks like one
_INVISIBLE = re.compile("[\u034f\u180b-\u180f\ufe00-\ufe0f]")  # besides formatting characters


def bare(text: str) -> str:
    """Return the text without spaces, dashes and the invisible formatting characters that come with a paste."""
    return "".join(
        letter
        for letter in _INVISIBLE.sub("", text)
        if letter not in _DASHES and letter != "\t" and unicodedata.category(letter) not in {"Zs", "Cf", "Pd"}
    )


def is_id(text: str) -> bool:
    """Tell whether a text can be an id or a hash of ours; what else comes in an address need not reach the database."""
    return _ID.fullmatch(text) is not None
