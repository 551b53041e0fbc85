"""Messages: what becomes of a row, whatever happens to the process that sends it."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from referral_app import clock as clock_module
from referral_app.db import transaction
from referral_app.gateways import choice, sms
from referral_app.gateways.console import ConsoleGateway
from referral_app.models import Attempt, Message
from referral_app.services import batches, messages, outbox
from tests.conftest import Clock
from tests.factories import PHONE, Api, World

pytestmark = pytest.mark.both_databases


def state(world: World) -> Any:
    (row,) = world.rows(select(Message.state, Message.attempts, Message.due_at, Message.taken_until, Message.error))
    return row


def run(app: Flask) -> int:
    with app.app_context():
        return outbox.run_once()


class Broken:
    """A gateway that takes nothing."""

    name = "broken"

    def send(self, key: str, phone: str, text: str) -> sms.Receipt:
        raise sms.NotTaken("no paper")


def test_a_queued_message_is_sent_once(api: Api, app: Flask, world: World, sms_folder: Path) -> None:
    api.ask()
    assert (run(app), run(app)) == (1, 0)
    assert state(world).state == "delivered"
    assert len(list(sms_folder.iterdir())) == 1


def test_whoever_queues_says_so_after_the_commit(api: Api, app: Flask, world: World) -> None:
    heard: list[int] = []

    def hear(message_id: int) -> None:
        heard.append(message_id)

    with messages.queued.connected_to(hear):
        api.ask()
        api.ask()
    assert heard == [row.id for row in world.rows(select(Message.id))]


def test_the_simulated_delay_holds_the_message_back(
    api: Api, app: Flask, clock: Clock, change_settings: Callable[..., None]
) -> None:
    change_settings(sms_simulated_delay=timedelta(seconds=1.5))
    api.ask()
    assert run(app) == 0
    clock.move(seconds=1.5)
    assert run(app) == 1


def test_what_a_killed_process_held_is_taken_by_the_sweep(api: Api, app: Flask, world: World, clock: Clock) -> None:
    api.ask()
    with app.app_context():
        assert len(batches.take_due(clock.now())) == 1  # and then the process dies
    clock.move(seconds=59)
    assert run(app) == 0
    clock.move(seconds=1)
    assert run(app) == 2  # the gateway knows nothing of it, so it goes again
    assert (state(world).state, state(world).attempts) == ("delivered", 2)


def test_what_was_handed_over_before_a_kill_is_found_and_does_not_go_again(
    api: Api, app: Flask, world: World, clock: Clock, sms_folder: Path
) -> None:
    api.ask()
    with app.app_context():
        (message,) = batches.take_due(clock.now())
        (gateway,) = choice.providers(app.extensions["settings"])
        gateway.send(str(message.id), PHONE, str(message.text))  # and then the process dies
    clock.move(seconds=60)
    assert run(app) == 1
    assert (state(world).state, state(world).attempts) == ("delivered", 1)
    assert len(list(sms_folder.iterdir())) == 1


def test_one_handed_over_in_time_is_no_expired_one_when_it_is_found_late(
    api: Api, app: Flask, world: World, clock: Clock, sms_folder: Path
) -> None:
    api.ask()
    with app.app_context():
        (message,) = batches.take_due(clock.now())
        (gateway,) = choice.providers(app.extensions["settings"])
        gateway.send(str(message.id), PHONE, str(message.text))  # and then the process dies
    clock.move(minutes=11)
    assert run(app) == 1
    assert state(world).state == "delivered"


def test_a_slow_sender_whose_time_has_passed_settles_nothing(api: Api, app: Flask, world: World, clock: Clock) -> None:
    api.ask()
    with app.app_context():
        (slow,) = batches.take_due(clock.now())
        clock.move(seconds=60)
        (other,) = batches.take_due(clock.now())
        assert outbox.settle([outbox.Result(slow, "not_taken", "late", {"state": "failed"})]) == 0
        assert outbox.settle([outbox.Result(other, "taken", None, {"state": "delivered"})]) == 1
    assert state(world).state == "delivered"


def test_a_message_held_too_long_is_left_to_whoever_takes_it_next(
    api: Api, app: Flask, world: World, clock: Clock, sms_folder: Path
) -> None:
    api.ask()
    with app.app_context():
        (slow,) = batches.take_due(clock.now())
        clock.move(seconds=60)
        outbox.send(slow)
    assert not sms_folder.exists() or not list(sms_folder.iterdir())
    assert run(app) == 2
    assert state(world).state == "delivered"


def test_where_a_provider_is_slow_the_rest_of_a_batch_is_given_back(
    api: Api, app: Flask, world: World, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        api.ask(f"+7999000000{number}")
    send = ConsoleGateway.send

    def slowly(gateway: ConsoleGateway, key: str, phone: str, text: str) -> sms.Receipt:
        clock.move(seconds=3)
        return send(gateway, key, phone, text)

    monkeypatch.setattr(ConsoleGateway, "send", slowly)
    with app.app_context():
        assert outbox._send_all(batches.take_due(clock.now())) == 1
    rows = world.rows(select(Message.state, Message.attempts, Message.taken_until).order_by(Message.id))
    assert [tuple(row) for row in rows] == [("delivered", 1, None), ("queued", 0, None), ("queued", 0, None)]
    assert run(app) == 2
    assert world.rows(select(func.count()).select_from(Attempt))[0][0] == 3


def test_an_expired_code_is_not_sent(api: Api, app: Flask, world: World, clock: Clock, sms_folder: Path) -> None:
    api.ask()
    clock.move(minutes=10)
    assert run(app) == 1
    assert state(world).state == "expired"
    assert not sms_folder.exists() or not list(sms_folder.iterdir())


def test_a_gateway_that_fails_is_asked_again_with_growing_pauses(
    api: Api, app: Flask, world: World, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "by_name", lambda *_: Broken())
    api.ask()
    with app.app_context(), transaction() as session:
        session.execute(update(Message).values(expires_at=None))  # a code would expire before the last pause ends
    pauses = []
    while state(world).state == "queued":
        clock.time = max(clock.now(), state(world).due_at)
        before = clock_module.now()
        with app.app_context():
            (message,) = batches.take_due(clock.now())
            outbox.settle([result for result in [outbox.send(message)] if result])
        if state(world).state == "queued":
            pauses.append((state(world).due_at - before).total_seconds())
    assert pauses == [0, 30, 120, 600]
    assert (state(world).state, state(world).error, state(world).attempts) == ("failed", "no paper", 5)


def test_a_folder_that_cannot_be_written_loses_no_message(
    api: Api, app: Flask, world: World, change_settings: Callable[..., None], tmp_path: Path
) -> None:
    (tmp_path / "sms").write_text("a file where the folder should be")
    change_settings(instance_path=tmp_path)
    api.ask()
    run(app)
    assert state(world).state == "queued"
    assert state(world).taken_until is None
