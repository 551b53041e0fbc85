"""Asking a provider over HTTP: time limits, no redirects, and which failures leave it open what was taken."""

import json
import time
from decimal import Decimal, InvalidOperation
from typing import Any

import httpx

from .sms import NoAccess, NotTaken, Unclear

_TIMEOUT = httpx.Timeout(8, connect=2)  # seconds
_WHOLE = 12  # seconds that an answer may take which comes drop by drop
_LARGEST = 64 * 1024  # bytes of an answer
_OURS = {401: "wrong_key", 402: "no_money", 403: "wrong_key"}


def client(**options: Any) -> httpx.Client:
    """Return a client that keeps its connections."""
    # A connection kept longer may be closed by the other side at the moment when it is used again.
    return httpx.Client(timeout=_TIMEOUT, follow_redirects=False, limits=httpx.Limits(keepalive_expiry=1), **options)


def ask(http: httpx.Client, urls: list[str], **request: Any) -> dict[str, Any]:
    """POST to the first address that can be reached; return the JSON object of the answer."""
    for number, url in enumerate(urls, 1):
        try:
            return _read(*_post(http, url, **request))
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as error:
            # Nothing has left: the next address may be tried.
            if number == len(urls):
                raise NotTaken("unreachable") from error
        except httpx.TimeoutException as error:
            raise Unclear("timeout") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unclear("cut") from error
    raise NotTaken("unreachable")


def _post(http: httpx.Client, url: str, **request: Any) -> tuple[httpx.Response, bytes]:
    ends, body = time.monotonic() + _WHOLE, bytearray()
    with http.stream("POST", url, headers={"Accept-Encoding": "identity"}, **request) as answer:
        for chunk in answer.iter_bytes():
            body += chunk
            if len(body) > _LARGEST:
                raise Unclear("garbled")
            if time.monotonic() > ends:
                raise Unclear("timeout")
    return answer, bytes(body)


def roubles(value: Any) -> Decimal | None:
    """Return an amount that may come as a number or a text; None for one that cannot be."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 <= amount < 10**8 else None


def _read(answer: httpx.Response, content: bytes) -> dict[str, Any]:
    if answer.status_code in _OURS:
        raise NoAccess(_OURS[answer.status_code])
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
        raise NotTaken("http_429", later=True)
    if answer.is_server_error:
        raise Unclear(f"http_{answer.status_code}")
    try:
        # Amounts of money must not pass through a float.
        body = json.loads(content, parse_float=Decimal)
    except ValueError as error:
        raise (Unclear("garbled") if answer.is_success else NotTaken(f"http_{answer.status_code}")) from error
    if not isinstance(body, dict):
        raise Unclear("garbled")
    return body
