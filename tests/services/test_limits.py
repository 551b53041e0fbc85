"""The counters: each with its number, the true end of its window, and nothing changed where it fires."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from referral_app import clock as clock_module
from referral_app.environment import Rate
from referral_app.models import Counter, Message
from referral_app.services import limits
from tests.conftest import Clock
from tests.factories import PHONE, Api, World, wrong

pytestmark = pytest.mark.both_databases
INVITER = "/profiles/me/inviter"


def refusal(answer: Any) -> tuple[int, str, str | None]:
    return answer.status_code, answer.json["slug"], answer.headers.get("Retry-After")


def test_a_block_of_numbers_has_twenty_unsolved_sends_an_hour(api: Api, clock: Clock) -> None:
    for number in range(20):
        assert api.ask(f"+7999000{number:04}").status_code == 202
    assert refusal(api.ask("+79990009999")) == (429, "too_many_alike", str(59 * 60))
    assert api.ask("+79990010000").status_code == 202
    clock.move(minutes=59)
    assert api.ask("+79990009999").status_code == 202


def test_solved_codes_give_their_sends_back_to_the_block_resends_too(api: Api, world: World, clock: Clock) -> None:
    clock.move(minutes=58, seconds=30)
    first = api.ask().json
    clock.move(seconds=60)
    api.ask()
    assert world.counted("block-sends", PHONE[:-4], 3600) == 1  # the other was in the hour before
    assert api.exchange(first["code"]).status_code == 201
    assert world.counted("block-sends", PHONE[:-4], 3600) == 0
    clock.move(seconds=-60)
    assert world.counted("block-sends", PHONE[:-4], 3600) == 0


@pytest.mark.parametrize(
    ("change", "wait"),
    [
        ({"sms_per_hour": 2}, 59 * 60),
        ({"sms_per_day": 2}, 11 * 3600 + 59 * 60),
        ({"sms_budget_per_day": Decimal("5.00")}, 11 * 3600 + 59 * 60),
    ],
)
def test_the_whole_site_has_an_hour_a_day_and_a_budget(
    api: Api, world: World, change_settings: Callable[..., None], change: dict[str, Any], wait: int
) -> None:
    change_settings(**change)
    assert [api.ask(f"+7999{n:03}0000").status_code for n in range(2)] == [202, 202]
    assert refusal(api.ask("+79161234567")) == (429, "sms_spent", str(wait))
    assert len(world.rows(select(Message.id))) == 2


def test_a_budget_of_nothing_sends_nothing(api: Api, change_settings: Callable[..., None]) -> None:
    change_settings(sms_budget_per_day=Decimal(0))
    assert refusal(api.ask())[:2] == (429, "sms_spent")
    change_settings(sms_price=Decimal(0))
    assert api.ask().status_code == 202


def test_a_text_of_two_parts_costs_twice(api: Api, world: World) -> None:
    api.ask()
    assert world.counted("sms-money") == 250
    api.post("/auth/code", {"phone": "+79161234567"}, headers={"Accept-Language": "ru"})
    assert world.counted("sms-money") == 250 + 500


def test_the_last_tenth_is_kept_for_signing_in(app: Flask, clock: Clock, change_settings: Callable[..., None]) -> None:
    change_settings(sms_per_hour=20)
    with app.app_context(), limits.guarded() as db:
        for _ in range(18):
            limits.take(db, "sms", "", clock_module.now(), spare_tenth=True)
    with app.app_context(), pytest.raises(limits.Spent), limits.guarded() as db:
        limits.take(db, "sms", "", clock_module.now(), spare_tenth=True)
    with app.app_context(), limits.guarded() as db:
        for _ in range(2):
            limits.take(db, "sms", "", clock_module.now())
    with app.app_context(), pytest.raises(limits.Spent), limits.guarded() as db:
        limits.take(db, "sms", "", clock_module.now())


@pytest.mark.parametrize(
    "change",
    [
        {"limit_phone_sends": (Rate(1, 3600),)},
        {"limit_block_sends": (Rate(1, 3600),)},
        {"sms_per_hour": 1},
        {"sms_per_day": 1},
        {"sms_budget_per_day": Decimal("2.50")},
    ],
)
def test_a_refused_resend_leaves_the_live_code_and_all_counters_alone(
    api: Api, world: World, clock: Clock, change_settings: Callable[..., None], change: dict[str, Any]
) -> None:
    change_settings(**change)
    asked = api.ask().json
    clock.move(minutes=1)
    before = world.rows(select(Counter.key, Counter.n).order_by(Counter.key))
    sent_at = world.challenge().last_sent_at
    for _ in range(3):
        assert api.ask().status_code == 429
    after = world.rows(select(Counter.key, Counter.n).where(~Counter.key.like("fired:%")).order_by(Counter.key))
    assert after == before
    assert (world.challenge().last_sent_at, world.challenge().sends) == (sent_at, 1)
    assert len(world.rows(select(Message.id))) == 1
    assert api.exchange(asked["code"]).status_code == 201


def test_limits_that_fired_are_counted_by_rule_and_hour(
    api: Api, app: Flask, clock: Clock, change_settings: Callable[..., None], fired: Callable[[], dict[str, int]]
) -> None:
    change_settings(limit_phone_sends=(Rate(1, 86400),))
    api.ask()
    api.ask()
    assert fired() == {"resend": 1}
    clock.move(hours=1)
    for _ in range(2):
        api.ask()
    assert fired() == {"resend": 1, "phone-sends": 2}
    with app.app_context():
        newest = limits.list_fired(clock.now().replace(minute=0))
    assert newest == [limits.Fired(clock.now().replace(minute=0), "phone-sends", 2)]


def test_a_counter_names_nobody_in_the_clear(api: Api, world: World) -> None:
    asked = api.at("203.0.113.7").ask().json
    api.at("203.0.113.7").exchange(wrong(asked["code"]))
    keys = " ".join(row.key for row in world.rows(select(Counter.key)))
    assert "9991234567" not in keys
    assert "999123" not in keys
    assert "203.0.113" not in keys


def test_ten_wrong_invite_codes_a_day_and_one_persons_ration_is_no_other_ones(
    api: Api, world: World, clock: Clock
) -> None:
    me, other, owner = world.user(), world.user(), world.user()
    mine = api(me)
    for _ in range(10):
        assert mine.post(INVITER, {"invite_code": "ZZZZZZ"}).status_code == 404
    spent = refusal(mine.post(INVITER, {"invite_code": "ZZZZZZ"}))
    assert spent == (429, "too_many_invite_codes", str(11 * 3600 + 59 * 60))
    assert mine.post(INVITER, {"invite_code": owner.invite_code}).status_code == 429
    assert api(other).post(INVITER, {"invite_code": owner.invite_code}).status_code == 200
    clock.move(hours=12)
    assert api(me).post(INVITER, {"invite_code": owner.invite_code}).status_code == 200


def test_codes_that_exist_take_nothing_from_the_ration_of_wrong_ones(api: Api, world: World) -> None:
    me = world.user()
    mine = api(me)
    for _ in range(9):
        mine.post(INVITER, {"invite_code": "ZZZZZZ"})
    for _ in range(12):
        assert mine.post(INVITER, {"invite_code": me.invite_code}).json["slug"] == "own_invite_code"
    assert mine.post(INVITER, {"invite_code": world.user().invite_code}).status_code == 200
    for _ in range(12):
        assert mine.post(INVITER, {"invite_code": world.user().invite_code}).json["slug"] == "inviter_already_set"
    assert world.counted("wrong-invites", str(me.id)) == 9
