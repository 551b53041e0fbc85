"""Proxies in front of the app: whose word on the client's address counts, and whether one was forgotten."""

import logging

from flask import Flask, current_app, request
from werkzeug.middleware.proxy_fix import ProxyFix

from . import address
from .web import is_forwarded

log = logging.getLogger(__name__)
FORGOTTEN = "A proxy is in front, but TRUSTED_PROXIES is 0: all clients count as one address. Set how many there are."


def init_app(app: Flask) -> None:
    """Take the client's address from the last entries, which the trusted proxies wrote; notice one not named."""
    chosen = app.extensions["settings"]
    if chosen.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=chosen.trusted_proxies, x_proto=0)  # type: ignore[method-assign]
        return
    app.extensions["forgotten_proxy"] = False
    if chosen.is_https:
        _notice(app)  # somebody else ends HTTPS
    app.before_request(_look)


def is_forgotten() -> bool:
    """Tell whether the app runs behind a proxy that the settings do not know."""
    return bool(current_app.extensions.get("forgotten_proxy"))


def _look() -> None:
    # A stranger can write such headers too, but not from a private address.
    if is_forwarded() and not is_forgotten() and address.is_near(request.remote_addr or ""):
        _notice(current_app)


def _notice(app: Flask) -> None:
    app.extensions["forgotten_proxy"] = True
    log.warning(FORGOTTEN)
