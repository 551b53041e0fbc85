"""The base of the tests: the app on SQLite, for marked tests on PostgreSQL too, empty tables, a clock that is moved."""

import faulthandler
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from flask import Flask
from sqlalchemy import create_engine, text

from referral_app import clock as clock_module
from referral_app import create_app, schema
from referral_app.config import Settings
from referral_app.db import Base, db
from referral_app.gateways import choice, http
from referral_app.gateways.fake import FakeGateway
from referral_app.services import codes, limits

from . import gateway, postgresql
from .factories import Api, Browser, World

_stacks = 2


def pytest_configure(config: pytest.Config) -> None:
    global _stacks
    # No proxy of the machine knows the servers that tests start.
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = "127.0.0.1,localhost"
    # Not at import: there the output is captured already. SIGUSR1 shows where a run stands.
    _stacks = os.dup(2)
    faulthandler.register(signal.SIGUSR1, file=_stacks, all_threads=True)


def pytest_unconfigure(config: pytest.Config) -> None:
    # Whatever keeps the process from ending is shown, and ended.
    faulthandler.dump_traceback_later(30, exit=True, file=_stacks)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "app" in metafunc.fixturenames:
        marked = metafunc.definition.get_closest_marker("both_databases")
        metafunc.parametrize(
            "database", ["sqlite", "postgresql"] if marked else ["sqlite"], indirect=True, scope="session"
        )


@pytest.fixture(scope="session")
def postgresql_folder() -> Iterator[str]:
    with postgresql.cluster() as folder:
        yield folder


@pytest.fixture(scope="session")
def make_settings(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Settings]:
    def make(**changes: Any) -> Settings:
        folder = tmp_path_factory.mktemp("instance")
        plain = Settings(
            instance_path=folder,
            secret_key=b"a secret for tests, of no use elsewhere",
            database_url=f"sqlite:///{folder / 'app.db'}",
            embedded=True,
            sms_show_codes=True,
            sms_simulated_delay=timedelta(0),
        )
        return replace(plain, **changes)

    return make


@pytest.fixture(scope="session")
def apps(make_settings: Callable[..., Settings], request: pytest.FixtureRequest) -> Iterator[Callable[[str], Flask]]:
    """The app of each database, made at its first use."""
    made: dict[str, Flask] = {}
    with ExitStack() as stack:

        def get(name: str) -> Flask:
            if name not in made:
                url = f"sqlite:///{make_settings().instance_path / 'app.db'}"
                if name == "postgresql":
                    url = new_postgresql_database(request.getfixturevalue("postgresql_folder"), "app")
                made[name] = create_app(make_settings(database_url=url))
                with made[name].app_context():
                    schema.prepare(made[name].extensions["settings"].instance_path)
                    stack.callback(db.engine.dispose)
            return made[name]

        yield get


def new_postgresql_database(folder: str, name: str) -> str:
    """Make an empty database in the cluster; return its address."""
    engine = create_engine(f"postgresql+psycopg2://postgres@/postgres?host={folder}", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    engine.dispose()
    return f"postgresql+psycopg2://postgres@/{name}?host={folder}"


@pytest.fixture(scope="session")
def database(request: pytest.FixtureRequest) -> str:
    return str(getattr(request, "param", "sqlite"))


@pytest.fixture
def app(apps: Callable[[str], Flask], database: str) -> Iterator[Flask]:
    """The app with empty tables, and no SMS kept."""
    chosen = apps(database)
    before = chosen.extensions["settings"]
    yield chosen
    chosen.extensions["settings"] = before
    for file in (before.instance_path / "sms").glob("*"):
        file.unlink()
    with chosen.app_context(), db.engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        connection.execute(text("UPDATE users SET inviter_id = NULL, invited_at = NULL"))
        connection.execute(text("UPDATE locks SET n = 0"))
        for table in reversed(Base.metadata.sorted_tables):
            if table.name != "locks":
                connection.execute(table.delete())


@pytest.fixture
def another_app(app: Flask, make_settings: Callable[..., Settings]) -> Iterator[Callable[..., Flask]]:
    """Makes apps with other settings on the same database."""
    with ExitStack() as stack:

        def make(**changes: Any) -> Flask:
            made = create_app(make_settings(database_url=app.extensions["settings"].database_url, **changes))
            with made.app_context():
                stack.callback(db.engine.dispose)
            return made

        yield make


@pytest.fixture(autouse=True)
def _push_request_context() -> None:
    """Stand in for pytest-flask's fixture: one context around a whole test would be shared by its requests."""


@pytest.fixture
def change_settings(app: Flask) -> Callable[..., None]:
    """Change settings for one test."""

    def change(**changes: Any) -> None:
        app.extensions["settings"] = replace(app.extensions["settings"], **changes)

    return change


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 29, 12, 1, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def move(self, **by: float) -> None:
        self.time += timedelta(**by)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    moved = Clock()
    monkeypatch.setattr(clock_module, "now", moved.now)
    return moved


@pytest.fixture
def world(app: Flask, clock: Clock) -> World:
    """Makes users and the like."""
    return World(app)


@pytest.fixture
def api(app: Flask, clock: Clock) -> Api:
    """The API, asked in process."""
    return Api(app)


@pytest.fixture
def browser(app: Flask, clock: Clock) -> Browser:
    """A browser without JavaScript, in process."""
    return Browser(app)


@pytest.fixture
def fired(app: Flask) -> Callable[[], dict[str, int]]:
    """Tells how often each limit fired."""

    def count() -> dict[str, int]:
        with app.app_context():
            found: dict[str, int] = {}
            for one in limits.list_fired(datetime(2000, 1, 1, tzinfo=UTC)):
                found[one.rule] = found.get(one.rule, 0) + one.n
            return found

    return count


@pytest.fixture
def same_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each code be sevens, so that no guess at another is right by chance."""
    monkeypatch.setattr(codes, "code_for", lambda challenge: "7" * challenge.code_length)


@pytest.fixture
def sms_folder(app: Flask) -> Path:
    """The folder where the console gateway keeps each SMS."""
    folder: Path = app.extensions["settings"].instance_path / "sms"
    return folder


@pytest.fixture
def fake(app: Flask, change_settings: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGateway]:
    """Both providers of SMS, first SMSAero, then SMSC, asked in process."""
    made = gateway.in_process()
    transport = httpx.WSGITransport(app=made)
    monkeypatch.setattr(http, "client", lambda **options: httpx.Client(transport=transport, **options))
    change_settings(**gateway.SETTINGS)
    choice.providers.cache_clear()
    yield made
    choice.providers.cache_clear()


@pytest.fixture(autouse=True)
def _nothing_left_running() -> Iterator[None]:
    """Fail a test that leaves a thread which would keep the run from ending."""
    before = set(threading.enumerate())
    yield
    end = time.monotonic() + 30
    while left := [t for t in threading.enumerate() if t not in before and not t.daemon and t.is_alive()]:
        if time.monotonic() > end:
            pytest.fail(f"threads live on: {left}")
        left[0].join(0.05)
