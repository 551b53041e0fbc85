import pytest

from referral_app import phone

COUNTRIES = {"RU", "KZ", "BY"}


@pytest.mark.parametrize(
    "written",
    [
        "+79991234567",
        "89991234567",
        "9991234567",
        "79991234567",
        "8 (999) 123-45-67",
        "+7 8 999 123-45-67",
        "8.999.123.45.67",
        "  +7\u00a0999\u202f123‑45–67 ",
        "\u200e+7\u2060 999\u200b 123\u00ad45\ufeff67",
        "+7\ufe0f 999\u034f 123\u2043 45\uff0d67",
        "(+7) 999 123-45-67",
    ],
)
def test_phones_as_people_write_them_become_one(written: str) -> None:
    assert phone.parse(written, "RU", COUNTRIES) == "+79991234567"


@pytest.mark.parametrize(
    ("written", "e164"), [("+7 701 234 56 78", "+77012345678"), ("+375 29 123-45-67", "+375291234567")]
)
def test_phones_of_neighbours_are_taken(written: str, e164: str) -> None:
    assert phone.parse(written, "RU", COUNTRIES) == e164


@pytest.mark.parametrize(
    "written",
    [
        "",
        "abc",
        "+8 952 666-66-66",
        "+71111111114",
        "8 495 123-45-67",  # landline
        "8 800 555-35-35",  # toll-free
        "+1 202 555 0123",  # another country
        "+380 50 123 45 67",
        "8 999 123-45-6",
        "8 999 123-45-678",
        "8 999 123-45-67 ext. 5",
        "8 999 123-45-67;ext=5",
        "8 999 123-45-67x5",
        "tel:+79991234567",
        "+7 ٩٩٩ ١٢٣ ٤٥ ٦٧",
        "＋79991234567",
        "+7９９９1234567",
        "+79991234567\n",
        "+79991234567\0",
        "9" * 200,
    ],
)
def test_what_is_no_mobile_number_of_these_countries_is_refused(written: str) -> None:
    with pytest.raises(phone.InvalidPhone):
        phone.parse(written, "RU", COUNTRIES)


def test_a_phone_is_shown_and_masked() -> None:
    assert phone.show("+79991234567") == "+7 999 123-45-67"
    assert phone.mask("+79991234567") == "+7 999 •••-••-67"
    assert phone.mask("+375291234567") == "+375 29 •••-••-67"


@pytest.mark.parametrize("text", ["+79991234567", "8 (999) 123-45-67", "%2B79991234567 x", "a/79991234567/b"])
def test_phones_in_a_text_are_masked(text: str) -> None:
    masked = phone.mask_all(text)
    assert "[phone]" in masked
    assert "4567" not in masked
    assert "45-67" not in masked
