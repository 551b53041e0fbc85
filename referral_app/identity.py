"""Who asks: access tokens of the API, the cookie of a browser, and the guards of the doors."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast
from uuid import uuid4

import jwt
from flask import Response, flash, g, redirect, request, session
from flask_babel import gettext as _

from . import clock
from .config import settings
from .errors import Refused
from .services import sessions
from .services.sessions import Device, OpenSession, Reader
from .web import client_address, drain, is_htmx

P = ParamSpec("P")
R = TypeVar("R")

ACCESS_LIFETIME = timedelta(hours=1)
_CLAIMS = ["exp", "iat", "sub", "jti", "sid", "type"]
_LEEWAY = timedelta(seconds=10)  # for clocks of several machines


def reader() -> Reader:
    """Return who asks, behind a guard."""
    return cast("Reader", g.reader)


def device() -> Device:
    """Return what is known of the device that signs in."""
    return Device(user_agent=(request.user_agent.string or "")[:255] or None, address=client_address())


def tokens(opened: OpenSession) -> dict[str, Any]:
    """Return the access and refresh token of a session, as the API answers them."""
    now = clock.now()
    access_ends = min(now + ACCESS_LIFETIME, opened.expires_at)
    return {
        "access_token": _sign("access", opened, now, access_ends),
        "refresh_token": _sign("refresh", opened, now, opened.expires_at),
        "token_type": "Bearer",
        "expires_in": int((access_ends - now).total_seconds()),
    }


def bearer_required(view: Callable[P, R]) -> Callable[P, R]:
    """Let an API call in with an access token of a running session alone."""
    return _guarded(view, "bearer")


def admin_role_required(view: Callable[P, R]) -> Callable[P, R]:
    """Let admins in, also before they have given their second factor."""
    return _guarded(view, "admin role", _check_role)


def admin_required(view: Callable[P, R]) -> Callable[P, R]:
    """Let admins in who have given their second factor in this session."""
    return _guarded(view, "admin", _check_role, _check_factor)


def fresh_admin_required(view: Callable[P, R]) -> Callable[P, R]:
    """Let admins in whose second factor is younger than 15 minutes: for exports, imports, mailings, deletions."""
    return _guarded(view, "fresh admin", _check_role, _check_factor, _check_age_of_factor)


def owner_required(view: Callable[P, R]) -> Callable[P, R]:
    """Let an API call in on the own `user_id` of its path alone."""
    return _guarded(view, "owner", _check_owner)


def owner_or_admin_required(view: Callable[P, R]) -> Callable[P, R]:
    """Let an API call in on the own `user_id` of its path, and admins who have given their second factor on any."""
    return _guarded(view, "owner or admin", _check_owner_or_admin)


def _guarded(view: Callable[P, R], guard: str, *checks: Callable[[Reader], None]) -> Callable[P, R]:
    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        claims = _read_token("access")
        # The session's row decides, so that ending it bites at once.
        found = sessions.find_api_reader(claims["sid"], clock.now())
        if found is None or str(found.user_id) != claims["sub"]:
            raise Refused("unauthorized")
        for check in checks:
            check(found)
        g.reader = found
        _note_use(found)
        try:
            return view(*args, **kwargs)
        except Refused as refusal:
            # Deleted since we looked: what is not found is the reader.
            if refusal.slug == "not_found" and sessions.find_api_reader(claims["sid"], clock.now()) is None:
                raise Refused("unauthorized") from refusal
            raise

    guarded.guard = guard  # type: ignore[attr-defined]
    return guarded


def _check_role(found: Reader) -> None:
    if found.role != "admin":
        raise Refused("admin_required")


def _check_owner(found: Reader) -> None:
    if not _is_owner(found):
        _check_role(found)
        raise Refused("owner_required")


def _check_owner_or_admin(found: Reader) -> None:
    if not _is_owner(found):
        _check_role(found)
        _check_factor(found)


def _is_owner(found: Reader) -> bool:
    return (request.view_args or {}).get("user_id") == found.user_id


def _check_factor(found: Reader) -> None:
    if found.second_factor_at is None:
        raise Refused("second_factor_required")


def _check_age_of_factor(found: Reader) -> None:
    if found.second_factor_at is None or found.second_factor_at <= clock.now() - sessions.FRESH_FOR:
        raise Refused("second_factor_stale")


def refresh_required(view: Callable[P, R]) -> Callable[P, R]:
    """Let an API call in with a refresh token, whose session and number `refresh_claims` then tells."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        g.claims = _read_token("refresh")
        if not isinstance(g.claims.get("no"), int):
            raise Refused("unauthorized")
        return view(*args, **kwargs)

    guarded.guard = "refresh"  # type: ignore[attr-defined]
    return guarded


def refresh_claims() -> tuple[str, int]:
    """Return the session's id and the number of the refresh token, behind its guard."""
    return g.claims["sid"], g.claims["no"]


def sign_in_required(view: Callable[P, Any]) -> Callable[P, Any]:
    """Let a page in with a browser's running session alone; others are led to the start page."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Any:
        g.reader = find_page_reader()
        if g.reader is None:
            if "token" in session:
                flash(_("You were signed out. Sign in again."), "warn")
            forget_browser()
            drain()
            if is_htmx():
                return Response(status=401, headers={"HX-Redirect": "/", "Cache-Control": "no-store"})
            return redirect("/", 303)
        _note_use(g.reader)
        return view(*args, **kwargs)

    guarded.guard = "cookie"  # type: ignore[attr-defined]
    return guarded


def find_page_reader() -> Reader | None:
    """Return who sits at the browser, by its cookie alone."""
    token = session.get("token")
    if "page_reader" not in g:
        g.page_reader = sessions.find_browser_reader(token, clock.now()) if isinstance(token, str) else None
    return cast("Reader | None", g.page_reader)


def remember_browser(token: str) -> None:
    """Put a browser's session into its cookie, in place of all that was there but a carried invitation."""
    carried = session.get("invite")
    session.clear()
    session["token"] = token
    if carried:
        session["invite"] = carried
    session.permanent = True
    g.pop("page_reader", None)


def forget_browser() -> None:
    """Take the session out of the browser's cookie."""
    session.pop("token", None)
    g.pop("page_reader", None)


def _note_use(found: Reader) -> None:
    if found.seen_at < clock.now() - sessions.SEEN_EVERY:
        sessions.touch(found.session_id)


def _sign(kind: str, opened: OpenSession, now: datetime, end: datetime) -> str:
    claims = {"sub": str(opened.user_id), "sid": opened.id, "jti": uuid4().hex, "type": kind, "iat": now, "exp": end}
    if kind == "refresh":
        claims["no"] = opened.refresh_no
    return jwt.encode(claims, settings().key("tokens"), algorithm="HS256")


def _read_token(kind: str) -> dict[str, Any]:
    """Return the claims of the request's bearer token; refuse one that is forged, foreign, of another kind or old."""
    try:
        given = request.authorization
    except ValueError as error:  # of a kind that nobody asked for, and not even well formed
        raise Refused("unauthorized") from error
    if given is None or given.type != "bearer" or not given.token:
        raise Refused("unauthorized")
    now = clock.now()
    try:
        claims: dict[str, Any] = jwt.decode(
            given.token,
            settings().key("tokens"),
            algorithms=["HS256"],
            # The two times are compared below, with our clock.
            options={"require": _CLAIMS, "verify_exp": False, "verify_iat": False},
        )
        fits = claims["type"] == kind and isinstance(claims["sid"], str)
        started, ends = (
            datetime.fromtimestamp(claims["iat"], now.tzinfo),
            datetime.fromtimestamp(claims["exp"], now.tzinfo),
        )
    except (jwt.InvalidTokenError, ValueError, TypeError, OverflowError, OSError) as error:
        raise Refused("unauthorized") from error
    if not fits or started > now + _LEEWAY or ends <= now - _LEEWAY:
        raise Refused("unauthorized")
    return claims
