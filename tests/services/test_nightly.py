import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from referral_app.db import transaction
from referral_app.models import Challenge, Counter, Message, Session
from referral_app.services import nightly, outbox
from tests.api.test_phone_change import ask, confirm
from tests.conftest import Clock
from tests.factories import Api, World

pytestmark = pytest.mark.both_databases


def reset(app: Flask) -> None:
    with app.app_context():
        nightly.reset_codes()


def test_at_midnight_utc_live_challenges_end_and_their_rows_stay(
    api: Api, app: Flask, world: World, clock: Clock
) -> None:
    clock.move(hours=11, minutes=58)
    before = api.ask().json
    clock.move(minutes=2)
    since = api.ask("+79161234567").json
    for _ in range(3):
        reset(app)
    assert api.exchange(before["code"]).status_code == 400
    assert api.exchange(since["code"], "+79161234567").status_code == 201
    assert len(world.rows(select(Challenge.id))) == 2


def test_a_first_start_in_the_middle_of_a_day_ends_nothing(api: Api, app: Flask) -> None:
    asked = api.ask().json
    reset(app)
    assert api.exchange(asked["code"]).status_code == 201


def test_the_hours_are_a_setting(api: Api, app: Flask, clock: Clock, change_settings: Callable[..., None]) -> None:
    change_settings(code_reset_hours=1)
    clock.move(minutes=55)
    asked = api.ask().json
    clock.move(minutes=5)
    reset(app)
    assert api.exchange(asked["code"]).status_code == 400


def test_old_counters_are_dropped_and_those_that_count_stay(app: Flask, world: World, clock: Clock, api: Api) -> None:
    with app.app_context():
        for days in (46, 44):
            with transaction() as session:
                session.add(Counter(key="k", window_start=clock.now() - timedelta(days=days), n=1))
        nightly.drop_old_rows()
    assert [row.window_start for row in world.rows(select(Counter.window_start))] == [clock.now() - timedelta(days=44)]


def test_addresses_are_kept_for_90_days_and_texts_of_sms_for_30(
    api: Api, app: Flask, world: World, clock: Clock, sms_folder: Path
) -> None:
    me = api(world.user())
    confirm(me, ask(me).json["code"])
    with app.app_context():
        outbox.run_once()
    assert all(len(message.read_text()) > 30 for message in sms_folder.iterdir())
    for file in sms_folder.iterdir():
        os.utime(file, (clock.now().timestamp(),) * 2)

    def kept(**passed: float) -> tuple[int, int, int, int]:
        clock.move(**passed)
        with app.app_context():
            nightly.forget_old_data()
        counts = (select(func.count(one)) for one in (Challenge.address, Session.address, Message.text))
        return (*(world.rows(one)[0][0] for one in counts), len(list(sms_folder.iterdir())))

    assert kept() == (1, 1, 1, 2)
    assert kept(days=30) == (1, 1, 1, 2)
    assert kept(seconds=1) == (1, 1, 0, 0)
    assert kept(days=60, seconds=-1) == (1, 1, 0, 0)
    assert kept(seconds=1) == (0, 0, 0, 0)
    assert len(world.rows(select(Message.phone).where(Message.phone.is_not(None)))) == 2


def test_challenges_of_deleted_accounts_go_when_their_ration_is_over(
    api: Api, app: Flask, world: World, clock: Clock
) -> None:
    def drop() -> int:
        with app.app_context():
            nightly.drop_old_rows()
        return len(world.rows(select(Challenge.id)))

    me = api.sign_in()
    other = api.sign_in("+79161234567")
    me.open("DELETE", "/profiles/me")
    clock.move(days=45, minutes=10)
    assert drop() == 2
    clock.move(seconds=1)
    assert drop() == 1
    assert other.get("/profiles/me/export").status_code == 401  # after 30 days of a session
