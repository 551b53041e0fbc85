import pytest

from referral_app import search


@pytest.mark.parametrize("text", ["ЁЖИК", "ежик", "Е\u0308жик", "ёжи\u006b".replace("k", "к")])
def test_case_composition_and_the_dots_of_yo_make_no_difference(text: str) -> None:
    assert search.normalise(text) == "ежик"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("8 (999) 123-45-67", ["9991234567"]),
        ("+7 999 123", ["7999123"]),
        ("45-67", ["4567"]),
        ("8912", ["8912"]),
        ("12", ["12"]),
        ("Анна 45", ["анна", "45"]),
        ("7km-4qx", ["7km-4qx"]),
        ("", []),
        ("%", ["%"]),
    ],
)
def test_a_query_is_words_or_the_digits_of_a_phone(query: str, found: list[str]) -> None:
    assert search.terms(query) == found


def test_a_key_leaves_out_what_is_missing() -> None:
    assert search.key("+79990000000", None, "Анна") == "+79990000000 анна"
