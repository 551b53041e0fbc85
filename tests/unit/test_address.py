import pytest

from referral_app import address


@pytest.mark.parametrize(
    ("text", "normalised"),
    [
        ("203.0.113.7", "203.0.113.7"),
        (" 203.0.113.7 ", "203.0.113.7"),
        ("203.0.113.7:443", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::6]:443", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::6]", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::/64", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", None),
        ("unknown", None),
        ("203.0.113", None),
        ("203.0.113.7/24", None),
        ("٢٠٣.0.113.7", None),
    ],
)
def test_an_address_is_what_limits_count_by(text: str, normalised: str | None) -> None:
    assert address.normalise(text) == normalised


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("127.0.0.1", True),
        ("10.1.2.3", True),
        ("172.18.0.2", True),
        ("fd00::2", True),
        ("203.0.113.7", False),
        ("", False),
    ],
)
def test_a_proxy_in_front_is_near(text: str, near: bool) -> None:
    assert address.is_near(text) is near
