"""A simulated year of guessing, with a moved clock: at one phone, and by a botnet at all of them."""

import secrets
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from referral_app.environment import Rate
from referral_app.models import Challenge, Message
from referral_app.services import guesses, limits
from tests.conftest import Clock
from tests.factories import PHONE, Api, Browser, World, wrong
from tests.services.test_races import at_once

YEAR = 365
_addresses = count(1)


def new_address() -> str:
    number = next(_addresses)
    return f"100.{number // 65536 % 256}.{number // 256 % 256}.{number % 256}"


@pytest.fixture
def short_guesses(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> list[datetime]:
    """The moments of all wrong guesses at codes of 4 digits."""
    made: list[datetime] = []
    take = guesses.take

    def note(db: Any, digits: int, now: datetime) -> bool:
        may = take(db, digits, now)
        if may and digits == guesses.SHORT:
            made.append(now)
        return may

    monkeypatch.setattr(guesses, "take", note)
    return made


def most_within(moments: list[datetime], span: timedelta) -> int:
    """Return how many of the moments, at most, lie in any window of this length."""
    window: deque[datetime] = deque()
    most = 0
    for moment in sorted(moments):
        window.append(moment)
        while moment - window[0] >= span:
            window.popleft()
        most = max(most, len(window))
    return most


def test_a_year_of_attacks_on_one_phone_whose_owner_signs_in_all_the_time(
    app: Flask, api: Api, clock: Clock, short_guesses: list[datetime]
) -> None:
    owner = Browser(app, "203.0.113.7")
    owner.sign_in()
    short_guesses.clear()
    owners, refused, sent = 0, 0, 0

    def by_api() -> int:
        """Ask, and guess at whatever runs: the own challenge, or the newest one that anybody asked for."""
        mine = api.at(new_address())
        asked = mine.ask()
        code = asked.json.get("code")
        for _ in range(3):
            mine.exchange(wrong(code) if code else "0000")
        return int(asked.status_code)

    def by_browser() -> int:
        browser = Browser(app, new_address())
        answer = browser.post("/sign-in", {"phone": PHONE})
        if answer.status_code == 303:
            for _ in range(3):
                browser.post("/sign-in/code", {"code": "0000"})
                browser.post("/sign-in", {"phone": PHONE})
        return int(answer.status_code)

    for day in range(YEAR):
        # Bursts, a resend of what runs, the quarter of an hour when the ration of sends is new, and midnight.
        for pause in (0, 1, 14, 15, 60, 180):
            clock.move(minutes=pause)
            answers = at_once([by_api, by_browser, by_api, by_browser])
            sent += sum(answer in {202, 303} for answer in answers)
            refused += answers.count(429)
        before = len(short_guesses)
        owner.post("/sign-out")
        assert owner.sign_in().status_code == 200, day
        del short_guesses[before:]  # the owner's own, right ones
        owners += 1
        if day % 7 == 0:  # the owner's app asks too, and an attacker guesses at its code
            answer = api.at("203.0.113.7").ask()
            by_api()
            if answer.status_code == 202:
                api.at("203.0.113.7").exchange(answer.json["code"], challenge_id=answer.json["challenge_id"])
        clock.time = (clock.time + timedelta(days=1)).replace(hour=0, minute=0)
    in_45, in_a_year = most_within(short_guesses, timedelta(days=45)), len(short_guesses)
    print(f"\n{sent} codes asked by strangers and {refused} requests refused in {YEAR} days: {in_a_year} guesses at 4")
    print(f"digits, at most {in_45} in any 45 days; the owner signed in {owners} times of {owners}")
    assert in_45 <= 9
    assert in_a_year <= 81


def test_a_year_of_a_botnet_that_tries_every_phone(
    app: Flask, api: Api, world: World, clock: Clock, short_guesses: list[datetime]
) -> None:
    clock.time = clock.time.replace(hour=0, minute=1)
    number, broken_into, long_days, people = count(), 0, 0, 0
    for _day in range(YEAR):
        for _hour in range(3):
            while True:
                n = next(number)
                phone = f"+7999{n % 1000:03}{n // 1000:04}"
                bot = api.at(new_address())
                asked = bot.ask(phone)
                if asked.status_code != 202 or asked.json["code_length"] == 8:
                    break
                for _ in range(3):
                    guess = f"{secrets.randbelow(10_000):04}"
                    broken_into += bot.exchange(guess, phone).status_code in {200, 201}
            clock.move(hours=7)
        browser, before = Browser(app, new_address()), len(short_guesses)
        code = browser.ask(f"+7916{people:07}")
        assert browser.post("/sign-in/code", {"code": code}).location == "/profile"
        del short_guesses[before:]
        people += 1
        long_days += len(code) == 8
        clock.time = (clock.time + timedelta(days=1)).replace(hour=0, minute=1)
    year, month = len(short_guesses), most_within(short_guesses, timedelta(days=30))
    print(f"\n{year} guesses at 4 digits in {YEAR} days, at most {month} in 30 days: {year / 10_000:.2f} accounts a")
    print(f"year expected, {broken_into} broken into; {people} people signed in, {long_days} of them with 8 digits")
    # The 241st wrong guess is the one that closes. 30 days of the calendar lie in 31 days by the hour.
    assert month <= guesses.PER_MONTH + 1 + guesses.PER_DAY + 1
    # A right guess is given back with the two before it, as if they were slips of the owner.
    assert year - 3 * broken_into <= (YEAR // 30 + 1) * (guesses.PER_MONTH + 1)
    assert broken_into <= 4  # 0.3 expected: more has a chance of 2 in 100,000


@pytest.mark.both_databases
@pytest.mark.parametrize("rule", limits.RULES)
def test_of_four_hundred_at_once_every_counter_lets_its_limit_through(
    app: Flask, clock: Clock, change_settings: Callable[..., None], rule: str
) -> None:
    setting = limits.RULES[rule].setting
    if setting == "limit_sms":
        change_settings(sms_per_hour=30)
    elif setting == "limit_sms_money":
        change_settings(sms_budget_per_day=30 / 100)
    else:
        change_settings(**{setting: (Rate(30, 60),)})

    def take() -> bool:
        try:
            with app.app_context(), limits.guarded() as db:
                limits.take(db, rule, "somebody", clock.now())
        except limits.Spent:
            return False
        return True

    assert sum(at_once([take] * 400)) == 30


@pytest.mark.parametrize(("budget", "texts"), [(10_000, 4_000), (0, 0), (100_000, 5_000)])
def test_a_day_of_pumping_ends_at_the_budget(
    api: Api, world: World, clock: Clock, change_settings: Callable[..., None], budget: int, texts: int
) -> None:
    change_settings(sms_budget_per_day=budget)
    clock.time = clock.time.replace(hour=0, minute=0)
    number, by_hour = count(), []
    for _hour in range(24):
        sent = 0
        for _ in range(1_100):
            n = next(number)
            phone = f"+7999{n % 1000:03}{n // 1000:04}"
            answer = api.at(new_address()).ask(phone)
            sent += answer.status_code == 202
            if answer.status_code == 429 and int(answer.headers["Retry-After"]) > 3600:
                break
        by_hour.append(sent)
        clock.move(hours=1)
    print(f"\nwith {budget} ₽ a day: {by_hour}")
    assert sum(by_hour) == world.rows(select(func.count()).select_from(Message))[0][0] == texts
    assert max(by_hour) <= 1_000
    if budget:
        assert api.ask().status_code == 202  # the next day
    assert world.rows(select(func.count()).select_from(Challenge))[0][0] == texts + bool(budget)
