"""Avatars: a user's picture, made square by a process of its own."""

import hashlib
import logging
import subprocess
import sys
import threading
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import bindparam, delete, select

from .. import clock, typed
from ..db import read, transaction
from ..errors import Refused
from ..models import Avatar
from . import users

log = logging.getLogger(__name__)
MAX_BYTES = 5 * 1024 * 1024
PATIENCE = 5.0  # seconds that an upload waits for the one before it
_SCRIPT = Path(__file__).parents[1] / "pictures.py"
# A large picture takes hundreds of megabytes while it is decoded: one at a time in each web process. Few may wait, so
# that most threads stay free for everybody else.
_turn = threading.Lock()
_places = threading.BoundedSemaphore(4)


class Picture(NamedTuple):
    """A square WebP, and the hash that its address carries."""

    image: bytes
    version: str


def replace(user_id: int, data: bytes) -> None:
    """Make a JPEG, PNG or WebP the user's picture.

    Refuse with `picture_too_large` over MAX_BYTES, `unusable_picture` for what cannot be decoded, `too_many_pictures`
    while others are being decoded.
    """
    if len(data) > MAX_BYTES:
        raise Refused("picture_too_large")
    image = _make_square(data)
    avatar = Avatar(
        user_id=user_id, image=image, version=hashlib.sha256(image).hexdigest()[:32], created_at=clock.now()
    )
    with transaction() as db:
        users.hold(db, user_id)
        db.merge(avatar)


def remove(user_id: int) -> None:
    """Remove the user's picture, where there is one."""
    with transaction() as db:
        users.hold(db, user_id)
        db.execute(delete(Avatar).where(Avatar.user_id == user_id))


_PICTURE = select(Avatar.image, Avatar.version).where(
    Avatar.user_id == bindparam("user_id"), Avatar.version == bindparam("version")
)


def find(user_id: int, version: str) -> Picture | None:
    """Return a user's picture while it is the one of this version."""
    if not typed.is_id(version):
        return None
    row = read().execute(_PICTURE, {"user_id": user_id, "version": version}).first()
    return Picture(*row) if row else None


def _make_square(data: bytes) -> bytes:
    if not _places.acquire(blocking=False):
        raise Refused("too_many_pictures", retry_after=5)
    try:
        return _decode(data)
    finally:
        _places.release()


def _decode(data: bytes) -> bytes:
    if not _turn.acquire(timeout=PATIENCE):
        raise Refused("too_many_pictures", retry_after=5)
    try:
        # -I and no environment: the decoder's process knows no secret of ours.
        done = subprocess.run(  # noqa: S603  a script of ours, by this very interpreter
            [sys.executable, "-I", str(_SCRIPT)], input=data, capture_output=True, timeout=30, check=False, env={}
        )
    except subprocess.TimeoutExpired as error:
        raise Refused("unusable_picture") from error
    finally:
        _turn.release()
    if done.returncode != 0 or not done.stdout:
        log.info("a picture could not be used", extra={"facts": {"status": done.returncode, "bytes": len(data)}})
        raise Refused("unusable_picture")
    return done.stdout
