"""What all doors of the web share: pages and blocks, the same-origin check, headers, the client's address."""

import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, make_response, render_template, request
from werkzeug.datastructures import FileStorage, MultiDict

from . import address
from .config import settings

MAX_BODY = 64 * 1024
MAX_UPLOAD = 5 * 1024 * 1024 + MAX_BODY  # a picture and what a form puts around it
_DRAINED = 8 * 1024 * 1024
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
_CSP = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
_FORWARDING = re.compile(
    "forwarded|via|x-forwarded(-.*)?|x-(real|client|cluster-client|original)-(ip|host)|(cf|fastly)-.*|true-client-ip",
    re.IGNORECASE,
)


def init_app(app: Flask) -> None:
    """Set up cookies, the same-origin check and the headers."""
    chosen = app.extensions["settings"]
    # An address with two slashes is none of ours: leading to the right one would go by the Host header.
    app.url_map.merge_slashes = False
    app.config.update(
        SECRET_KEY=chosen.key("cookies"),
        MAX_CONTENT_LENGTH=MAX_BODY,
        MAX_FORM_MEMORY_SIZE=MAX_BODY,
        SESSION_COOKIE_NAME="__Host-session" if chosen.is_https else "session",
        SESSION_COOKIE_SECURE=chosen.is_https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=chosen.session_lifetime,
        SESSION_REFRESH_EACH_REQUEST=False,
        SEND_FILE_MAX_AGE_DEFAULT=3600,
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.before_request(_refuse_other_origins)
    app.after_request(_add_headers)
    app.jinja_env.globals.update(asset=asset, settings=settings)


def page(template: str, **facts: Any) -> Response:
    """Return a screen: the whole page, or for htmx its block alone; both are private and never stored."""
    block = is_htmx() and "HX-History-Restore-Request" not in request.headers
    response = make_response(render_template(template, layout="fragment.html" if block else "base.html", **facts))
    if block and request.method == "GET":
        response.headers["HX-Push-Url"] = request.full_path.rstrip("?")
    return private(response)


def private(response: Response) -> Response:
    """Let nobody keep an answer that is for one reader, or take a block for a page."""
    response.headers["Cache-Control"] = "no-store"
    response.vary.update(("HX-Request", "HX-History-Restore-Request", "Cookie"))
    return response


def is_htmx() -> bool:
    """Tell whether htmx asks, and so follows its own headers."""
    return request.headers.get("HX-Request") == "true"


def asset(name: str) -> str:
    """Return the address of a static file, which changes with its content and can be kept for ever."""
    return f"/static/{name}?v={_digest(Path(current_app.static_folder or '') / name)}"


@cache
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def client_address() -> str:
    """Return the client's address: an IPv4 address, or the /64 network of an IPv6 one."""
    return address.normalise(request.remote_addr or "") or "unknown"


def may_show_codes() -> bool:
    """Tell whether a code may stand in the answer: switched on, and asked on this machine itself."""
    chosen = settings()
    return (
        chosen.shows_codes and address.is_loopback(urlsplit(f"//{request.host}").hostname or "") and not is_forwarded()
    )


def is_forwarded() -> bool:
    """Tell whether a header says that a proxy stands in between."""
    return any(_FORWARDING.fullmatch(name) for name, _value in request.headers)


def uploaded() -> MultiDict[str, FileStorage]:
    """Return the request's files; raise RequestEntityTooLarge over MAX_UPLOAD."""
    request.max_content_length = MAX_UPLOAD
    return request.files


def drain() -> None:
    """Read and drop what is left of a body that is refused: a client that still sends would see a reset, no answer."""
    if request.method in _SAFE_METHODS:
        return
    body, left = request.environ["wsgi.input"], min(request.content_length or _DRAINED, _DRAINED)
    while left > 0 and (chunk := body.read(min(left, 65536))):
        left -= len(chunk)


def _refuse_other_origins() -> None:
    """Refuse unsafe page requests from other sites. The API takes no cookies and needs no such check."""
    if request.method in _SAFE_METHODS or request.path.startswith("/api/"):
        return
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site not in {"same-origin", "none"} and not (site is None and origin == settings().site_url):
        abort(403)


def _add_headers(response: Response) -> Response:
    policy = dict(_CSP)
    if request.path == "/redoc":  # ReDoc makes its own styles and searches in a worker
        policy |= {"style-src": "'self' 'unsafe-inline'", "worker-src": "blob:"}
    response.headers.setdefault("Content-Security-Policy", "; ".join(f"{name} {what}" for name, what in policy.items()))
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
    if settings().is_https:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    if request.path.startswith("/static/"):
        if "v" in request.args and response.status_code == 200:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    elif request.path.startswith("/api/"):
        response.headers.setdefault("Cache-Control", "no-store")
    return response
