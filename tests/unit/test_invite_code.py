import pytest

from referral_app import invite_code


def test_codes_have_six_characters_without_look_alikes() -> None:
    codes = {invite_code.make() for _ in range(200)}
    assert all(len(code) == 6 and not set(code) & set("01ILO") for code in codes)
    assert len(codes) > 190


@pytest.mark.parametrize("typed", ["7KM4QX", "7km4qx", " 7km-4qx ", "7KM 4QX", "7km\u00a04qx", "7КМ4QХ", "7км4qх"])
def test_codes_are_read_as_people_type_them(typed: str) -> None:
    assert invite_code.normalise(typed) == "7KM4QX"


def test_every_cyrillic_look_alike_is_read_as_its_latin_letter() -> None:
    assert invite_code.normalise("АВЕКМН") == "ABEKMH"
    assert invite_code.normalise("РСТУХ2") == "PCTYX2"


@pytest.mark.parametrize("typed", ["", "7KM4Q", "7KM4QXX", "7KM4Q0", "7KMO1X", "7KM4QЖ", "7KM4Q!", "７KM4QX"])
def test_what_cannot_be_a_code_is_none(typed: str) -> None:
    assert invite_code.normalise(typed) is None
