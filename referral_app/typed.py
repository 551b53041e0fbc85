"""What people type or paste, freed of what is not meant. Pure."""

import unicodedata

_DASHES = "-‐‑‒–—―−"


def bare(text: str) -> str:
    """Return the text without spaces, dashes and the invisible formatting characters that come with a paste."""
    return "".join(
        letter
        for letter in text
        if letter not in _DASHES and letter not in " \t" and unicodedata.category(letter) not in {"Zs", "Cf"}
    )
