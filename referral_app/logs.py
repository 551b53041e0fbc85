"""JSON logs: one line an event, with the request's id and no phone."""

import json
import logging
import re
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, g, has_request_context, request

from . import phone

CONFIG: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "referral_app.logs.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"level": "INFO", "handlers": ["stderr"]},
    "loggers": {"alembic": {"level": "WARNING"}, "huey": {"level": "WARNING"}, "httpx": {"level": "WARNING"}},
}
_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
_requests = logging.getLogger("referral_app.requests")


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and what the record carries as `facts`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; whatever looks like a phone is replaced in it."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": phone.mask_all(record.getMessage()),
        }
        if has_request_context() and "request_id" in g:
            line["request_id"] = g.request_id
        line |= getattr(record, "facts", {})
        if record.exc_info:
            line["exception"] = phone.mask_all(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


def init_app(app: Flask) -> None:
    """Give each request an id, taken from `X-Request-Id` where it is a plain one, and log each answer."""

    @app.before_request
    def _() -> None:
        given = request.headers.get("X-Request-Id", "")
        # An id that is a phone would be a phone in the log.
        usable = _REQUEST_ID.fullmatch(given) and phone.mask_all(given) == given
        g.request_id = given if usable else uuid.uuid4().hex
        g.started = time.perf_counter()

    @app.after_request
    def _(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.request_id
        facts = {
            "method": request.method,
            "path": phone.mask_all(request.path),
            "status": response.status_code,
            "ms": round((time.perf_counter() - g.started) * 1000, 1),
        }
        _requests.info("%s %s", facts["method"], facts["path"], extra={"facts": facts})
        return response
