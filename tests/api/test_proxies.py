"""Proxies: whose word on the address counts, and that a forgotten one is noticed."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from referral_app.models import Challenge
from tests.factories import PHONE, Api, World, wrong

VICTIM = "198.51.100.1"


def warnings(app: Flask) -> Any:
    answer: Any = app.test_client().get("/health/ready").json
    return answer["warnings"]


@pytest.mark.usefixtures("same_codes")
@pytest.mark.parametrize("forged", [VICTIM, f"{VICTIM}, {VICTIM}", "nonsense", f"{VICTIM}, 10.0.0.1, ", "::1"])
@pytest.mark.parametrize("proxies", [0, 1])
def test_forged_entries_change_nothing_for_the_one_they_name(
    another_app: Callable[..., Flask], world: World, proxies: int, forged: str
) -> None:
    app = another_app(trusted_proxies=proxies, sms_show_codes=False)
    real = "203.0.113.7"
    # With a proxy in front, that adds the real address as the last entry.
    headers = {"X-Forwarded-For": f"{forged}, {real}" if proxies else forged, "Forwarded": f"for={VICTIM}"}
    headers |= {"X-Real-Ip": VICTIM}
    attacker = Api(app, headers, "10.0.0.9" if proxies else real)
    for number in range(7):
        phone = f"+7999{number:03}0000"
        attacker.ask(phone)
        for guess in range(3):
            attacker.exchange(f"{guess:04}", phone)
    assert world.counted("address-guesses", real, 3600) == 21
    assert world.counted("address-guesses", VICTIM, 3600) == 0
    assert {row.address for row in world.rows(select(Challenge.address))} == {real}
    assert attacker.ask(PHONE).json["code_length"] == 8
    assert Api(another_app(), address=VICTIM).ask("+79161234567").json["code_length"] == 4


@pytest.mark.parametrize(
    ("entry", "kept"),
    [
        ("203.0.113.7:51234", "203.0.113.7"),
        ("[2001:db8:1:2::7]:443", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::7", "2001:db8:1:2::/64"),
        ("unknown", "unknown"),
    ],
)
def test_entries_of_proxies_are_read_as_they_write_them(
    another_app: Callable[..., Flask], world: World, entry: str, kept: str
) -> None:
    Api(another_app(trusted_proxies=1), {"X-Forwarded-For": entry}).ask()
    assert world.challenge().address == kept


def test_neighbours_in_one_ipv6_line_share_their_guesses(api: Api, world: World) -> None:
    for number in range(7):
        phone = f"+7999{number:03}0000"
        mine = api.at(f"2001:db8:1:2::{number}")
        code = mine.ask(phone).json["code"]
        for _ in range(3):
            mine.exchange(wrong(code), phone)
    assert api.at("2001:db8:1:2:ffff::1").ask().json["code_length"] == 8
    assert api.at("2001:db8:1:3::1").ask("+79161234567").json["code_length"] == 4


def test_a_forgotten_proxy_is_noticed_at_the_start_where_https_ends_elsewhere(
    another_app: Callable[..., Flask], caplog: pytest.LogCaptureFixture
) -> None:
    app = another_app(site_url="https://pozovi.example")
    assert "Set how many there are" in caplog.text
    (warning,) = warnings(app)
    assert "TRUSTED_PROXIES is 0" in warning
    app = another_app(site_url="https://pozovi.example", trusted_proxies=1)
    assert warnings(app) == []


@pytest.mark.parametrize(
    ("peer", "headers", "noticed"),
    [
        ("10.0.0.9", {"X-Forwarded-For": "203.0.113.7"}, True),
        ("127.0.0.1", {"Forwarded": "for=203.0.113.7"}, True),
        ("203.0.113.7", {"X-Forwarded-For": "198.51.100.1"}, False),
        ("10.0.0.9", {}, False),
    ],
)
def test_a_forgotten_proxy_is_noticed_by_what_it_writes_and_strangers_cannot_pretend(
    another_app: Callable[..., Flask],
    caplog: pytest.LogCaptureFixture,
    peer: str,
    headers: dict[str, str],
    noticed: bool,
) -> None:
    app = another_app()
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            Api(app, headers, peer).get("/profiles/me")
    assert caplog.text.count("TRUSTED_PROXIES") == int(noticed)
    assert len(warnings(app)) == int(noticed)
