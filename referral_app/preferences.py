"""Language and theme of a browser: its own choice, kept in one cookie; else the user's, else what the browser says."""

from urllib.parse import urlsplit

from flask import Blueprint, Flask, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import Babel

from . import identity
from .config import settings
from .services import users

LANGUAGES = ("en", "ru")
THEMES = ("light", "dark")
COOKIE = "preferences"
_YEAR = 365 * 24 * 3600
bp = Blueprint("preferences", __name__)


def init_app(app: Flask) -> None:
    """Let the chosen language count for all texts and dates."""
    Babel(app, locale_selector=language, default_timezone=str(app.extensions["settings"].timezone))
    app.jinja_env.globals.update(language=language, theme=theme)


def language() -> str:
    """Return the language to answer in. The API goes by the request's header alone."""
    if not request.path.startswith("/api/"):
        chosen = _kept()[0]
        if chosen not in LANGUAGES and (reader := identity.find_page_reader()):
            chosen = reader.language or ""
        if chosen in LANGUAGES:
            return chosen
    return request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0]


def theme() -> str | None:
    """Return the theme that was chosen, or None where the system's counts."""
    chosen = _kept()[1]
    return chosen if chosen in THEMES else None


@bp.post("/language")
def set_language() -> ResponseReturnValue:
    """Keep the language, for a user who is signed in with the account too."""
    chosen = request.form.get("language", "")
    reader = identity.find_page_reader()
    if chosen in LANGUAGES and reader:
        users.set_language(reader.user_id, chosen)
    return _keep(chosen if chosen in LANGUAGES else "", theme() or "")


@bp.post("/theme")
def set_theme() -> ResponseReturnValue:
    """Keep the theme; an empty one is the system's again."""
    chosen = request.form.get("theme", "")
    return _keep(_kept()[0], chosen if chosen in THEMES else "")


def _kept() -> tuple[str, str]:
    chosen, _, look = request.cookies.get(COOKIE, "").partition(".")
    return chosen, look


def _keep(chosen: str, look: str) -> ResponseReturnValue:
    """Set the cookie and lead back to the page with the form."""
    try:
        came_from = urlsplit(request.referrer or "")
    except ValueError:
        came_from = urlsplit("")
    # One slash alone: two would make the rest of the path another host.
    back = "/" + came_from.path.lstrip("/\\") + (f"?{came_from.query}" if came_from.query else "")
    response = redirect(back, 303)
    response.set_cookie(
        COOKIE, f"{chosen}.{look}", max_age=_YEAR, httponly=True, samesite="Lax", secure=settings().is_https
    )
    return response
