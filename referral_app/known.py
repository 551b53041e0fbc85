"""Browsers that have signed in with a phone before: a signed cookie, which gives their sends a counter of their own."""

import secrets
from typing import Any

from flask import request
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.wrappers import Response

from . import clock
from .config import settings
from .services.guesses import phone_key

COOKIE = "known"
LIFETIME = 180 * 24 * 3600
KEPT = 5  # phones of one browser


def find(phone: str) -> str | None:
    """Return the browser's id where it has signed in with this phone within 180 days."""
    kept = _read()
    return kept["id"] if _key(phone) in kept["phones"] else None


def remember(response: Response, phone: str) -> None:
    """Note in the browser's cookie that it has signed in with a phone, which stands there as an HMAC."""
    kept = _read()
    phones = {key: since for key, since in kept["phones"].items() if key != _key(phone)}
    newest = dict([*list(phones.items())[1 - KEPT :], (_key(phone), int(clock.now().timestamp()))])
    response.set_cookie(
        COOKIE,
        _serializer().dumps({"id": kept["id"], "phones": newest}),
        max_age=LIFETIME,
        httponly=True,
        samesite="Lax",
        secure=settings().is_https,
    )


def _read() -> dict[str, Any]:
    try:
        kept: dict[str, Any] = _serializer().loads(request.cookies.get(COOKIE, ""))
    except BadSignature:
        return {"id": secrets.token_urlsafe(9), "phones": {}}
    since = clock.now().timestamp() - LIFETIME
    return {"id": kept["id"], "phones": {key: then for key, then in kept["phones"].items() if then > since}}


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(settings().key("known"))


def _key(phone: str) -> str:
    return phone_key(phone)[:32]
