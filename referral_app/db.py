"""The database: the declarative base, its types, and how a command begins and ends."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    BigInteger,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Integer,
    MetaData,
    event,
    func,
    select,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Session, registry
from sqlalchemy.types import TypeDecorator

log = logging.getLogger(__name__)
_BUSY_TIMEOUT = 30_000  # milliseconds that a write waits for the one before it
BigInt = BigInteger().with_variant(Integer, "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, stored in UTC; SQLite keeps no zone, so it is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive datetime."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return an aware datetime in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """The declarative base; constraints get names that migrations can rely on."""

    registry = registry(
        metadata=MetaData(
            naming_convention={
                "ix": "ix_%(table_name)s_%(column_0_N_name)s",
                "uq": "uq_%(table_name)s_%(column_0_N_name)s",
                "ck": "ck_%(table_name)s_%(constraint_name)s",
                "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
                "pk": "pk_%(table_name)s",
            }
        ),
        type_annotation_map={datetime: UtcDateTime, int: BigInt},
    )


db = SQLAlchemy(model_class=Base, disable_autonaming=True, session_options={"expire_on_commit": False})


def init_app(app: Flask, url: str) -> None:
    """Bind the app to its database."""
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    # Statements that fail would carry phones into the log by their parameters.
    options: dict[str, Any] = {"hide_parameters": True, "pool_size": 20, "max_overflow": 20}
    if url.startswith("postgresql"):
        options |= {"pool_pre_ping": True, "connect_args": {"connect_timeout": 5}}
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = options
    db.init_app(app)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            _begin_ourselves(db.engine)


def _begin_ourselves(engine: Engine) -> None:
    """Let SQLite's transactions begin when SQLAlchemy says so: the driver begins late, and updates get lost."""

    @event.listens_for(engine, "connect")
    def _(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in (f"busy_timeout={_BUSY_TIMEOUT}", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def _(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN " + connection.get_execution_options().get("sqlite_begin", "DEFERRED"))


def read() -> Session:
    """Return the request's session for reading; what it holds open ends with the request or the next command."""
    return db.session()


def end_read() -> None:
    """End the request's read: what follows may take long, and nobody is to wait for its snapshot."""
    db.session().rollback()


@contextmanager
def transaction() -> Iterator[Session]:
    """Begin a command's transaction, commit it once, roll back whatever fails in it.

    The request's read ends first. On SQLite the write lock is taken at once: a read that turns into a write fails as
    soon as somebody else has written, whatever the busy timeout.
    """
    session = db.session()
    if session.info.get("in_command"):
        raise RuntimeError("commands do not call commands: transactions cannot nest")
    session.rollback()
    session.info["in_command"] = True
    try:
        session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        del session.info["in_command"]


_LOCK = text("UPDATE locks SET n = n + 1 WHERE name = :name")


def lock(session: Session, name: str) -> None:
    """Let the commands that take this lock go one by one until they commit; to be their first statement."""
    if session.connection().execute(_LOCK, {"name": name}).rowcount != 1:
        raise RuntimeError(f"no lock is called {name}: migration 0001 makes its row")


def line_up(session: Session, subject: str) -> None:
    """Let the commands for one subject go one by one until they commit; `subject` is an HMAC in hex."""
    connection = session.connection()
    if connection.dialect.name == "postgresql":  # on SQLite one command writes at a time
        number = int(subject[:16], 16) - 2**63
        connection.execute(select(func.pg_advisory_xact_lock(number)))


def mark_deleted(session: Session) -> None:
    """Note within a command that it deletes what must leave the files; forget_deleted sees to it."""
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        marks = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
        connection.exec_driver_sql(f"PRAGMA user_version = {marks + 1}")


def forget_deleted() -> None:
    """Let nothing that was deleted stay in the database's files; after a commit.

    SQLite overwrites what is deleted (`secure_delete`), but not the copies that are left where it moved rows from page
    to page: where mark_deleted asked for it the file is written anew. And its log of writes holds the pages as they
    were: it is written back and cut to nothing. PostgreSQL's vacuum does both in its own time.
    """
    if db.engine.dialect.name != "sqlite":
        return
    end_read()  # one of our own would keep the log alive
    connection = db.engine.raw_connection()
    try:
        is_new = _write_anew(connection)
        # Readers of old pages are waited for, and writers wait meanwhile: a second each time.
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout=1000")
        is_cut = any(_cut_log(cursor) for _attempt in range(5))
        cursor.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT}")
        cursor.close()
    finally:
        connection.close()
    if not (is_new and is_cut):
        log.warning("what was deleted may still be in the database's files; that is tried again within the hour")


def _write_anew(connection: Any) -> bool:
    cursor = connection.cursor()
    try:
        (marks,) = cursor.execute("PRAGMA user_version").fetchone()
        if marks:
            cursor.execute("VACUUM")
            cursor.execute("BEGIN IMMEDIATE")
            # Marked once more meanwhile: those rows may have been there when the file was written.
            if cursor.execute("PRAGMA user_version").fetchone() == (marks,):
                cursor.execute("PRAGMA user_version = 0")
            cursor.execute("COMMIT")
    except sqlite3.OperationalError as error:
        log.warning("the database's file was not written anew", extra={"facts": {"reason": str(error)}})
        return False
    finally:
        cursor.close()
    return True


def _cut_log(cursor: Any) -> bool:
    cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    ((is_busy, _pages, _moved),) = cursor.fetchall()
    return not is_busy
