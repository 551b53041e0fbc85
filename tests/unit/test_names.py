import pytest

from referral_app import names

NAMES = [
    "О’Генри",
    "Д'Артаньян",
    "О`Нил",
    "Анна-Мария",
    "Ё",
    "Әсел Құнанбаева",
    "क्षत्रिय",
    "กำลังใจ",
    "=SUM(1)",
    "{{7*7}}",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_all_kinds_are_kept_as_they_are(name: str) -> None:
    assert names.clean(name) == name


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" Иван ", "Иван"),
        ("\u00a0\u2003Иван\u3000", "Иван"),
        ("Сергеи\u0306", "Сергей"),
        ("Ва\u200bся\ufeff", "Вася"),
        ("Ан\u00adна\u200e", "Анна"),
        ("\u200b", ""),
        ("\u200d", ""),
        ("\u034f\u0301", ""),
        (" \u3164\u2800 ", ""),
        ("👋", "👋"),
        ("’", "’"),
    ],
)
def test_a_name_is_trimmed_composed_and_freed_of_what_nobody_sees(typed: str, kept: str) -> None:
    assert names.clean(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "Ан\nна",
        "Ан\x00на",
        "Ан\x9bна",
        "Ан\u2028на",
        "Ан\u202eна",
        "Ан\u2067на",
        "\ud800",
        "З\u0335\u0336\u0337а",
        "x\u20dd\u20dd\u20dd",
        "а\u0301\u0302\u200d\u0303",
    ],
)
def test_what_would_break_the_page_around_it_is_refused(typed: str) -> None:
    with pytest.raises(names.InvalidText):
        names.clean(typed)


@pytest.mark.parametrize(
    ("typed", "kept", "mailbox"),
    [
        ("Ivan@Пример.рф", "Ivan@Пример.рф", "ivan@xn--e1afmkfd.xn--p1ai"),
        ("İsmail@example.org", "İsmail@example.org", "i\u0307smail@example.org"),
        (" Anna+x@EXAMPLE.org ", "Anna+x@EXAMPLE.org", "anna+x@example.org"),
        ("ａ@ｅxample.org", "ａ@ｅxample.org", "a@example.org"),
        ("o'neil@mail.local", "o'neil@mail.local", "o'neil@mail.local"),
        ("ß@straße.example", "ß@straße.example", "ss@xn--strae-oqa.example"),
    ],
)
def test_an_address_is_kept_as_typed_and_known_by_its_mailbox(typed: str, kept: str, mailbox: str) -> None:
    assert names.clean_email(typed) == kept
    assert names.mailbox(kept) == mailbox


@pytest.mark.parametrize(
    "typed",
    [
        "ivan", "ivan@", "@example.org", "ivan@localhost", "a b@example.org", "a@b@example.org", "a@-x.example",
        "a@x..example", "a@example.org.", "Anna <anna@example.org>", "<b>@example.org", "a@[192.0.2.1]",
        "a\n@example.org",
        "a\u202e@example.org", "a@\U0001f600.example", f"{'a' * 65}@example.org", f"a@{'x' * 64}.example",
        f"{'a' * 60}@{'.'.join(['x' * 60] * 4)}.example",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(names.InvalidEmail):
        names.clean_email(typed)


def test_a_text_that_could_take_seconds_is_not_looked_at() -> None:
    assert names.clean("я" * 1000) == "я" * 1000
    with pytest.raises(names.TooLong):
        names.clean("a" + "\u0315\u0327" * 500)
