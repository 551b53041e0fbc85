"""flask limits: how far an ordinary counter is used, and giving a phone its sends back."""

from collections.abc import Callable

import pytest
from click.testing import Result
from flask import Flask

from referral_app.environment import Rate
from tests.conftest import Clock
from tests.factories import PHONE, Api, Browser, wrong


@pytest.fixture
def run(app: Flask) -> Callable[..., Result]:
    return lambda *words: app.test_cli_runner().invoke(args=["limits", *words])


def test_show_a_phone(api: Api, run: Callable[..., Result]) -> None:
    code = api.ask().json["code"]
    api.exchange(wrong(code))
    shown = run("show", "8 999 123-45-67")
    assert shown.output.splitlines() == [
        "+7 999 •••-••-67",
        "  codes sent: 1 of 3 until 2026-11-29 15:15",
        "  codes sent: 1 of 5 until 2026-11-29 16:00",
        "  codes sent: 1 of 10 until 2026-11-30 03:00",
        "  unsolved in its 10,000 numbers: 1 of 20 until 2026-11-29 16:00",
        "  guesses of 45 days: 3 of 9",
        "  next code: 4 digits",
    ]


@pytest.mark.parametrize("address", ["203.0.113.7", "2001:db8:1:2::7", "2001:db8:1:2::/64"])
def test_show_an_address(api: Api, run: Callable[..., Result], address: str) -> None:
    mine = api.at(address.replace("/64", "1"))
    for number in range(7):
        phone = f"+7999{number:03}0000"
        code = mine.ask(phone).json["code"]
        for _ in range(3):
            mine.exchange(wrong(code), phone)
    assert run("show", address).output.splitlines() == [
        "203.0.113.7" if "." in address else "2001:db8:1:2::/64",
        "  unsolved requests: 7 of 200 until 2026-11-29 16:00",
        "  wrong guesses of this hour: 21 of 20",
        "  next code: 8 digits (address-guesses)",
    ]


def test_show_what_fired(api: Api, run: Callable[..., Result], clock: Clock) -> None:
    assert run("show").output == ""
    api.ask()
    api.ask()
    api.ask()
    assert run("show").output.split() == ["2026-11-29", "15:00", "resend", "2"]
    clock.move(hours=25)
    assert run("show").output == ""


@pytest.mark.parametrize("command", ["show", "reset"])
@pytest.mark.parametrize("subject", ["8 495 123-45-67", "nobody", "203.0.113.7.8"])
def test_what_is_neither_phone_nor_address_is_told(run: Callable[..., Result], command: str, subject: str) -> None:
    answer = run(command, subject)
    assert answer.exit_code == 2
    assert "no mobile number" in answer.output


def test_reset_gives_a_phone_its_sends_back_and_no_guesses(
    api: Api, app: Flask, run: Callable[..., Result], change_settings: Callable[..., None]
) -> None:
    change_settings(limit_phone_sends=(Rate(2, 86400), Rate(2, 3600)))
    other = "+79161234567"
    known = Browser(app)
    known.sign_in()
    known.post("/sign-out")
    for phone in (PHONE, other):
        for _ in range(2):
            api.exchange(api.ask(phone).json.get("code", "0000"), phone)
    for _ in range(2):
        known.sign_in()
        known.post("/sign-out")
    assert known.post("/sign-in", {"phone": PHONE}).status_code == api.ask().status_code == 429
    assert run("reset", PHONE).output == "+7 999 •••-••-67 has its sends back.\n"
    asked = api.ask()
    assert asked.status_code == 202
    assert known.post("/sign-in", {"phone": PHONE}).status_code == 303
    assert api.ask(other).status_code == 429
    for _ in range(3):
        api.exchange(wrong(asked.json["code"]))
    before = run("show", PHONE).output.splitlines()[-2]
    run("reset", PHONE)
    assert run("show", PHONE).output.splitlines()[-2] == before == "  guesses of 45 days: 6 of 9"
