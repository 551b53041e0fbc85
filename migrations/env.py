"""How Alembic runs our migrations: one transaction each run, safe with several processes at once."""

from alembic import context
from flask import current_app

from referral_app import models  # noqa: F401
from referral_app.db import Base

engine = current_app.extensions["migrate"].db.engine
sqlite = engine.dialect.name == "sqlite"

with engine.connect() as connection:
    if sqlite:
        # Rebuilding a parent table drops it, which foreign keys forbid; a transaction could not switch them off.
        connection.connection.dbapi_connection.execute("PRAGMA foreign_keys=OFF")
        connection = connection.execution_options(sqlite_begin="IMMEDIATE")  # noqa: PLW2901
    try:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            transactional_ddl=True,
            render_as_batch=True,
            compare_type=True,
        )
        with context.begin_transaction():
            if not sqlite:
                # Two processes that upgrade at once: the second waits and finds nothing to do.
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(727001)")
            context.run_migrations()
            if sqlite and connection.exec_driver_sql("PRAGMA foreign_key_check").fetchone():
                raise RuntimeError("the migration left rows that point nowhere")
    finally:
        if sqlite:
            connection.connection.dbapi_connection.execute("PRAGMA foreign_keys=ON")
