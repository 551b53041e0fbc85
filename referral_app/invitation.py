"""The invitation that a browser carries from a link to the sign-in: an invite code in its cookie."""

from typing import cast

from flask import Flask, g, session

from .services import invites
from .services.invites import Offer


def init_app(app: Flask) -> None:
    """Let every screen say who invites."""
    app.jinja_env.globals["offer"] = find


def carry(offer: Offer) -> None:
    """Keep an invitation; the last link wins."""
    session["invite"] = offer.invite_code
    g.offer = offer


def find() -> Offer | None:
    """Return the invitation that is carried, while its code is somebody's."""
    if "offer" not in g:
        code = session.get("invite")
        g.offer = invites.find_offer(code) if isinstance(code, str) else None
    return cast("Offer | None", g.offer)


def drop() -> None:
    """Forget the invitation."""
    session.pop("invite", None)
    g.offer = None
