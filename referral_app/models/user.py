"""A user: one phone, one invite code, at most one inviter."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from .. import search
from ..db import Base

SEARCHED = ("phone", "invite_code", "email", "first_name", "last_name")


def _search_key(context: Any) -> str:
    facts = context.get_current_parameters()
    return search.key(*(facts.get(name) for name in SEARCHED))


class User(Base):
    """An account. One that is deleted keeps its row without a phone, as the inviter of its invitees.

    `search_key` is made of the SEARCHED columns at the insert; `remake_search_key` follows their updates.
    """

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("inviter_id <> id", name="inviter_is_another"),
        CheckConstraint("(inviter_id IS NULL) = (invited_at IS NULL)", name="inviter_with_time"),
        CheckConstraint("invitees_count >= 0", name="invitees_count_not_negative"),
        CheckConstraint("role IN ('user', 'admin')", name="role_known"),
        # An inviter's list is read newest first.
        Index(None, "inviter_id", "invited_at", "id"),
        Index(None, "created_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    phone: Mapped[str | None] = mapped_column(String(16), unique=True)
    invite_code: Mapped[str] = mapped_column(String(6), unique=True)
    inviter_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    invited_at: Mapped[datetime | None]
    invitees_count: Mapped[int] = mapped_column(server_default="0")
    role: Mapped[str] = mapped_column(String(8), server_default="user")
    password_hash: Mapped[str | None] = mapped_column(String(255))
    email: Mapped[str | None] = mapped_column(String(254))
    first_name: Mapped[str | None] = mapped_column(String(100))
    last_name: Mapped[str | None] = mapped_column(String(100))
    language: Mapped[str | None] = mapped_column(String(8))
    search_key: Mapped[str] = mapped_column(Text, default=_search_key, server_default="")
    created_at: Mapped[datetime]
    blocked_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]

    def remake_search_key(self) -> None:
        """Follow a change of the SEARCHED columns."""
        self.search_key = search.key(*(getattr(self, name) for name in SEARCHED))
