"""The catalogues: every text is there, whole, and set as the house sets its type."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[1] / "referral_app"
KEYWORDS = {
    "_": None, "_l": None, "N_": None, "gettext": None, "lazy_gettext": None,
    "ngettext": (1, 2), "pgettext": ((1, "c"), 2),
}  # fmt: skip


@pytest.fixture(scope="module")
def russian() -> Catalog:
    with (ROOT / "translations/ru/LC_MESSAGES/messages.po").open("rb") as file:
        return read_po(file)


def texts(catalogue: Catalog) -> Iterator[tuple[Message, str]]:
    for message in catalogue:
        if message.id:
            strings = message.string if isinstance(message.string, tuple | list) else [message.string]
            yield from ((message, text or "") for text in strings)


def test_no_text_is_missing_fuzzy_or_left_over(russian: Catalog) -> None:
    methods = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
    found = extract_from_dir(str(ROOT), methods, keywords=KEYWORDS)
    used = {(ids if isinstance(ids, str) else ids[0], context) for _, _, ids, _, context in found}
    known = {(m.id if isinstance(m.id, str) else m.id[0], m.context) for m in russian if m.id}
    assert used == known, "run make translations"
    assert not [message.id for message in russian if message.fuzzy]
    assert not [message.id for message, text in texts(russian) if not text]


def test_plural_forms_are_three_and_placeholders_stay(russian: Catalog) -> None:
    for message, text in texts(russian):
        first = message.id if isinstance(message.id, str) else message.id[0]
        assert not message.pluralizable or len(message.string or ()) == 3, message.id
        assert set(re.findall(r"%\(\w+\)s", text)) == set(re.findall(r"%\(\w+\)s", first)), message.id


@pytest.mark.parametrize(
    ("fault", "pattern"),
    [
        ("a short word is not bound to the next", r"(?<![\w-])[А-Яа-яЁё]{1,2} "),
        ("a dash is not bound to the word before", r" —"),
        ("a number is not bound to its word", r"(?:\d|%\(num\)s) (?=[\dа-яё])"),
        ("quotes are not «ёлочки»", r'["“”]'),
        ("a hyphen stands for a dash", r"\s-\s"),
        ("е stands for ё", r"\b(?:еще|ее|введен|идет|вошел|дошел|придет|чье|вернемся|разберемся|подошел)\b"),
    ],
)
def test_russian_is_set_well(russian: Catalog, fault: str, pattern: str) -> None:
    assert not [text for _, text in texts(russian) if re.search(pattern, text)], fault
