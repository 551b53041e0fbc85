"""The screen of the own profile, which its forms lead back to."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import Response, request

from .. import device, identity, invitation, qr
from ..services import sessions, users
from ..services.users import Profile
from ..web import page
from .schemas import avatar_path, invite_url

SESSIONS_SHOWN = 20


@dataclass(frozen=True)
class Form:
    """A form of the page that is shown again: what was typed, and what is wrong, by field."""

    name: str
    typed: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    wait: int = 0


def show(form: Form | None = None) -> Response:
    """Return the screen, with a form that could not be taken."""
    reader = identity.reader()
    shown = users.get_profile(reader.user_id)
    offered = invitation.find()
    standing = standing_of(offered.owner_id, shown) if offered else None
    if offered and standing != "open":
        invitation.drop()
    link = invite_url(shown.invite_code)
    running = [
        (one, device.name(one.user_agent or "")) for one in sessions.list_running(reader.user_id, limit=SESSIONS_SHOWN)
    ]
    response = page(
        "profile/profile.html",
        profile=shown,
        form=form or Form(""),
        error=form is not None,
        offered=offered,
        standing=standing,
        avatar=avatar_path(shown),
        link=link,
        qr=qr.path(link),
        sessions=running,
        current=reader.session_id,
        fresh=reader.fresh,
    )
    is_there = form is not None and not (form.name == "inviter" and shown.invited_at)
    if form is not None and is_there and request.headers.get("HX-Trigger") == f"{form.name}-form":
        # In place of itself alone: what was typed into the other forms of the screen stays.
        response.headers["HX-Retarget"] = response.headers["HX-Reselect"] = f"#{form.name}-form"
        response.headers["HX-Reswap"] = "outerHTML"
    return response


def standing_of(owner_id: int, mine: Profile | None) -> str:
    """Tell whether an invitation can still be accepted: `open`, `own` or `set`."""
    if mine is not None and mine.id == owner_id:
        return "own"
    return "set" if mine is not None and mine.invited_at else "open"
