"""Migrations: up, down and up again on both databases, and the models say the same."""

from collections.abc import Callable, Iterator

import flask_migrate
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError

from referral_app import create_app, schema
from referral_app.config import Settings
from referral_app.db import Base, db, lock, transaction

from .conftest import new_postgresql_database

pytestmark = pytest.mark.both_databases


@pytest.fixture
def empty(database: str, make_settings: Callable[..., Settings], request: pytest.FixtureRequest) -> Iterator[Flask]:
    """An app with a database that has no table yet."""
    settings = make_settings()
    if database == "postgresql":
        name = f"empty {settings.instance_path.name} 100%"
        url = new_postgresql_database(request.getfixturevalue("postgresql_folder"), name)
        settings = make_settings(database_url=url.replace("%?", "%25?"))
    else:
        settings = make_settings(database_url=f"sqlite:///{settings.instance_path / 'app.db'}")
    app = create_app(settings)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def test_up_down_up(empty: Flask) -> None:
    schema.prepare(empty.extensions["settings"].instance_path)
    tables = set(inspect(db.engine).get_table_names())
    assert tables == {"alembic_version", *Base.metadata.tables}
    flask_migrate.downgrade(revision="base")
    assert inspect(db.engine).get_table_names() == ["alembic_version"]
    schema.prepare(empty.extensions["settings"].instance_path)
    assert set(inspect(db.engine).get_table_names()) == tables
    schema.prepare(empty.extensions["settings"].instance_path)


def test_migrations_and_models_say_the_same(empty: Flask) -> None:
    schema.prepare(empty.extensions["settings"].instance_path)
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_the_rows_of_locks_are_there_and_an_unknown_lock_raises(app: Flask) -> None:
    with app.app_context():
        for name in ("invites", "first-admin"):
            with transaction() as session:
                lock(session, name)
        with pytest.raises(RuntimeError, match="no lock"), transaction() as session:
            lock(session, "nonsense")


def test_transactions_do_not_nest(app: Flask) -> None:
    with app.app_context(), pytest.raises(RuntimeError, match="nest"), transaction(), transaction():
        pass


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE users SET inviter_id = id, invited_at = created_at",
        "UPDATE users SET inviter_id = NULL, invited_at = created_at",
        "UPDATE users SET invitees_count = -1",
        "UPDATE users SET role = 'king'",
        "UPDATE users SET inviter_id = 999999, invited_at = created_at",
        "INSERT INTO users (phone, invite_code, created_at) SELECT phone, 'ZZZZZZ', created_at FROM users",
        "INSERT INTO users (invite_code, created_at) SELECT invite_code, created_at FROM users",
    ],
)
def test_the_database_itself_refuses_what_no_rule_allows(app: Flask, world: object, change: str) -> None:
    world.user()  # type: ignore[attr-defined]
    with app.app_context(), pytest.raises(IntegrityError), transaction() as session:
        session.execute(text(change))
