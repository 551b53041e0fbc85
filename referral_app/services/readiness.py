"""Whether the service can do its work: the database answers and has the schema of this code."""

import logging

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from ..db import read

log = logging.getLogger(__name__)
_SCHEMA = text("SELECT version_num FROM alembic_version")


def find_schema_version() -> str | None:
    """Return the number of the last migration that ran, or None where the database does not answer or is empty."""
    try:
        return str(read().execute(_SCHEMA).scalar_one())
    except SQLAlchemyError:
        log.exception("not ready: the database does not answer")
        return None
