"""Jobs: what is queued wakes a task, and a queue that fails loses nothing."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from flask import Flask
from huey.storage import MemoryStorage
from sqlalchemy import select

from referral_app import jobs
from referral_app.models import Challenge, Message, Session
from referral_app.services import messages, outbox, statuses
from tests.conftest import Clock
from tests.factories import PHONE, Api, World


@pytest.fixture(autouse=True)
def _connected(app: Flask) -> Iterator[None]:
    jobs.connect(app)
    jobs.huey.flush()
    yield
    messages.queued.disconnect(jobs._wake)
    messages.sent.disconnect(jobs._wake_to_check)
    messages.postponed.disconnect(jobs._wake_later)
    jobs.huey.storage.close()
    jobs.huey.storage = MemoryStorage("referral")


def run_next() -> None:
    jobs.huey.execute(jobs.huey.dequeue())


def test_a_queued_message_wakes_the_task_that_sends_it(api: Api, world: World) -> None:
    api.ask()
    assert jobs.huey.pending_count() == 1
    run_next()
    assert world.rows(select(Message.state))[0].state == "delivered"


def test_the_task_of_a_message_that_is_due_later_waits(
    api: Api, world: World, change_settings: Callable[..., None]
) -> None:
    change_settings(sms_simulated_delay=timedelta(seconds=1.5))
    api.ask()
    assert jobs.huey.dequeue().eta is not None
    assert world.rows(select(Message.state))[0].state == "queued"


def test_a_queue_that_fails_loses_no_message(
    app: Flask, api: Api, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(jobs, "send_messages", full)
    assert api.ask().status_code == 202
    jobs.sweep.call_local()
    assert world.rows(select(Message.state))[0].state == "delivered"


def test_statuses_are_asked_for_in_batches_and_what_waits_to_be_sent_goes_before_each(
    api: Api, world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    left = [50, 7, 0]

    def check() -> int:
        done.append("check")
        return left.pop(0)

    monkeypatch.setattr(outbox, "run_once", lambda: done.append("send"))
    monkeypatch.setattr(statuses, "check_once", check)
    jobs.check_messages.call_local()
    while jobs.huey.pending_count():
        run_next()
    assert done == ["send", "check"] * 3


def test_the_schedule_sweeps_resets_and_tidies(api: Api, world: World, clock: Clock) -> None:
    assert {task.name for task in jobs.huey._registry.periodic_tasks} == {"sweep", "reset_codes", "drop_old_rows"}
    asked = api.ask().json
    for task in (jobs.reset_codes, jobs.drop_old_rows, jobs.sweep):
        task.call_local()
    assert world.rows(select(Message.state))[0].state == "delivered"
    assert api.exchange(asked["code"]).status_code == 201


def test_erased_phones_addresses_and_texts_are_seen_to(api: Api, world: World, clock: Clock) -> None:
    other = api(world.user())
    owner = api.sign_in(PHONE)
    other.post("/profiles/me/phone", {"phone": PHONE})
    owner.open("DELETE", "/profiles/me")
    clock.move(days=91)
    jobs.sweep.call_local()
    jobs.drop_old_rows.call_local()
    assert [row.phone for row in world.rows(select(Challenge.phone)) if row.phone] == []
    assert [row.address for row in world.rows(select(Session.address)) if row.address] == []


def test_a_task_without_an_app_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_app", None)
    with pytest.raises(RuntimeError, match="connect"):
        jobs.sweep.call_local()
