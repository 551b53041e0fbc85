"""Providers that fail, workers that are killed, Redis that is gone: no SMS is lost, and how fast they go."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, insert, select

from referral_app import clock, create_app, jobs, schema
from referral_app.config import Settings
from referral_app.db import db, transaction
from referral_app.gateways.fake import FAULTS
from referral_app.models import Attempt, Challenge, Message
from tests.conftest import new_postgresql_database
from tests.redis_server import serving_redis
from tests.servers import ROOT, environment, running, serving, wait_for
from tests.soak.test_kills import OPEN, call
from tests.test_worker import serving_fake

KILLS = 20


class Fake:
    """The fake of the providers, in a process of its own."""

    def __init__(self, url: str) -> None:
        self.url = url

    def _ask(self, path: str, body: Any = None) -> Any:
        data, headers = json.dumps(body).encode() if body else None, {"Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(self.url + path, data, headers), timeout=30) as answer:
            return json.load(answer)

    def answers(self) -> bool:
        """Tell whether it is there."""
        try:
            return bool(self._ask("/received") == {})
        except OSError:
            return False

    def fail(self, provider: str, fault: str, times: int) -> None:
        """Let the next sends fail."""
        self._ask("/faults", {"provider": provider, "fault": fault, "times": times})

    def received(self) -> Counter[str]:
        """Return how many SMS each phone got."""
        return Counter(self._ask("/received"))


@contextmanager
def serving_fast_fake(folder: Path) -> Iterator[Fake]:
    """Serve the fake from a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["gunicorn", "-c", "/dev/null", "-b", f"127.0.0.1:{port}", "-k", "gthread", "--threads", "100"]
    words += ["--no-control-socket", "--log-level", "error", "referral_app.gateways.fake:FakeGateway()"]
    fake = Fake(f"http://127.0.0.1:{port}")
    with running(words, folder / "fake.log", dict(os.environ)):
        wait_for("the fake", fake.answers)
        yield fake


class Site:
    """A database, a Redis, a fake gateway, and workers that can be killed."""

    def __init__(self, folder: Path, app: Flask, env: dict[str, str], fake: Fake) -> None:
        self.folder, self.app, self.env, self.fake = folder, app, env, fake
        self.workers: list[subprocess.Popen[bytes]] = []

    def start_worker(self) -> "subprocess.Popen[bytes]":
        """Start one more worker; whoever ends the site ends it."""
        flask = str(Path(sys.executable).with_name("flask"))
        with (self.folder / f"worker{len(self.workers)}.log").open("wb") as log:
            worker = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", flask, "worker"],
                cwd=ROOT,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.workers.append(worker)
        return worker

    def queue(self, number: int, prefix: int) -> list[str]:
        """Queue codes to so many phones, and wake the workers."""
        phones = [f"+79{prefix:02}{n:07}" for n in range(number)]
        now = clock.now()
        with self.app.app_context(), transaction() as session:
            session.execute(
                insert(Challenge),
                [
                    {
                        "id": f"{prefix}-{n}",
                        "purpose": "sign_in",
                        "phone": phone,
                        "phone_key": "k",
                        "code_length": 4,
                        "bound": "api",
                        "created_at": now,
                        "last_sent_at": now,
                        "expires_at": now + timedelta(minutes=10),
                    }
                    for n, phone in enumerate(phones)
                ],
            )
            rows = [
                {
                    "kind": "code",
                    "phone": phone,
                    "language": "en",
                    "challenge_id": f"{prefix}-{n}",
                    "due_at": now,
                    "expires_at": now + timedelta(minutes=10),
                    "created_at": now,
                }
                for n, phone in enumerate(phones)
            ]
            session.execute(insert(Message), rows)
        with self.app.app_context():
            for _ in rows:
                jobs.send_messages()
        return phones

    def states(self) -> dict[str, int]:
        """Return how many messages are in each state."""
        with self.app.app_context():
            counts = select(Message.state, func.count()).group_by(Message.state)
            return {row[0]: row[1] for row in db.session.execute(counts)}

    def is_done(self) -> bool:
        """Tell whether nothing waits any more."""
        return not {"queued", "sending"} & self.states().keys()


@pytest.fixture
def site(
    tmp_path: Path, postgresql_folder: str, make_settings: Callable[..., Settings], request: pytest.FixtureRequest
) -> Iterator[Site]:
    url = new_postgresql_database(postgresql_folder, f"gateways {tmp_path.name}")
    with ExitStack() as stack:
        redis = stack.enter_context(serving_redis(tmp_path))
        fake = stack.enter_context(serving_fast_fake(tmp_path))
        address = fake.url
        settings = {
            "DATABASE_URL": url,
            "REDIS_URL": redis.url,
            "SMS_PROVIDERS": "smsaero,smsc",
            "SMSAERO_URL": f"{address}/v2/",
            "SMSAERO_EMAIL": "tests@example.org",
            "SMSAERO_API_KEY": "key",
            "SMSC_URL": f"{address}/sys/",
            "SMSC_LOGIN": "tests",
            "SMSC_PASSWORD": "key",
            "SECRET_KEY": "a secret for tests, of no use elsewhere",
        }
        app = create_app(replace(make_settings(database_url=url), redis_url=redis.url))
        with app.app_context():
            schema.prepare(app.extensions["settings"].instance_path)
        jobs.connect(app, waits=5)
        made = Site(tmp_path, app, environment(tmp_path, **settings), fake)
        yield made
        for worker in made.workers:
            if worker.poll() is None:
                os.killpg(worker.pid, signal.SIGKILL)
                worker.wait(10)
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


def test_each_fault_a_thousand_times_and_twenty_kills_of_workers(site: Site) -> None:
    site.start_worker()
    site.start_worker()
    phones: list[str] = []

    def queue() -> None:
        for number, fault in enumerate(fault for fault in FAULTS if fault != "late"):
            times = 20 if fault.startswith("hang") else 250
            site.fake.fail("smsaero", fault, times)
            site.fake.fail("smsc", fault, times)
            phones.extend(site.queue(1_000, 10 + number))

    queueing = threading.Thread(target=queue, daemon=True)
    queueing.start()
    # Here, and not in the other thread: with the thread that started them the workers would end.
    for _ in range(KILLS):
        time.sleep(4)
        victim = site.workers[-2]
        os.killpg(victim.pid, signal.SIGKILL)
        victim.wait(10)
        site.workers.remove(victim)
        site.start_worker()
    queueing.join(300)
    assert not queueing.is_alive()
    try:
        wait_for("all of them", site.is_done, 600)
    except RuntimeError:
        pytest.fail(f"after 600 s: {site.states()}")
    received = site.fake.received()
    lost = [phone for phone in phones if not received[phone]]
    twice = [phone for phone in phones if received[phone] > 1]
    with site.app.app_context():
        outcomes = db.session.execute(select(Attempt.outcome, func.count()).group_by(Attempt.outcome)).all()
        without_id = db.session.execute(
            select(func.count()).where(Message.state.in_(["sent", "delivered"]), Message.provider_ref.is_(None))
        ).scalar_one()
    print(f"\n{len(phones)} messages, {KILLS} kills: {site.states()}, attempts {sorted(map(str, outcomes))}")
    print(f"{len(lost)} lost, {len(twice)} came twice")
    assert lost == []
    assert without_id == 0
    assert len(twice) <= KILLS


@pytest.mark.parametrize("workers", [1, 4])
def test_throughput_against_an_instant_gateway(site: Site, workers: int) -> None:
    for _ in range(workers):
        site.start_worker()
    site.queue(50, 10)  # everything is imported and connected
    wait_for("the first", site.is_done, 60)
    number = 3_000
    site.queue(number, 20)
    began = time.monotonic()
    wait_for("all", lambda: sum(site.states().get(state, 0) for state in ("sent", "delivered")) >= number + 50, 120)
    took = time.monotonic() - began
    print(f"\n{workers} workers: {number / took:.0f} messages a second")


def test_with_redis_frozen_or_stopped_people_sign_in_and_codes_go_by_the_sweep(
    tmp_path: Path, postgresql_folder: str
) -> None:
    url = new_postgresql_database(postgresql_folder, "redis gone")
    with ExitStack() as stack:
        fake, address = stack.enter_context(serving_fake())
        first = stack.enter_context(serving_redis(tmp_path))
        settings = {
            "DATABASE_URL": url,
            "REDIS_URL": first.url,
            "SMS_PROVIDERS": "smsaero",
            "SMSAERO_URL": f"{address}/v2/",
            "SMSAERO_EMAIL": "tests@example.org",
            "SMSAERO_API_KEY": "key",
            **OPEN,
        }
        server = stack.enter_context(serving(tmp_path, **settings))
        env = environment(tmp_path, **settings)
        stack.enter_context(running(["flask", "worker"], tmp_path / "worker.log", env))

        def ask(numbers: range) -> float:
            """Ask for codes; return the 95th percentile of the times, in seconds."""
            times = []
            for number in numbers:
                began = time.monotonic()
                assert call(server, "/auth/code", {"phone": f"+7999{number:07}"})
                times.append(time.monotonic() - began)
            return sorted(times)[len(times) * 95 // 100]

        def wait_until_they_came(numbers: range) -> float:
            began = time.monotonic()
            wait_for("the codes", lambda: all(fake.received()[f"+7999{n:07}"] for n in numbers), 100)
            return time.monotonic() - began

        well = ask(range(50))
        wait_until_they_came(range(50))
        os.kill(first.pid, signal.SIGSTOP)
        frozen = ask(range(50, 100))
        os.kill(first.pid, signal.SIGCONT)
        after_frozen = wait_until_they_came(range(100))
        os.kill(first.pid, signal.SIGKILL)
        gone = ask(range(100, 150))
        stack.enter_context(serving_redis(tmp_path))
        after_gone = wait_until_they_came(range(150))
        p95 = [f"{seconds * 1000:.0f} ms" for seconds in (well, frozen, gone)]
        print(f"\np95 of asking for a code: {p95[0]}; with Redis frozen {p95[1]}, with none {p95[2]}")
        print(f"the codes came {after_frozen:.0f} s after it went on, {after_gone:.0f} s after a new one was there")
    assert max(frozen, gone) < 1
