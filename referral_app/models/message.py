"""A message: one SMS to one phone until its final status."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base

STATES = ("queued", "sending", "sent", "delivered", "failed", "expired", "unknown")
WAITING = ("queued", "sending")


class Message(Base):
    """One SMS. `text` is null for a code, which is derived when it is sent; `user_id` is set for one about an account.

    `taken_until` is set while a process holds the row; a row whose time has passed is anybody's again. `checks` counts
    how often its status was asked for, `check_at` tells when the next time is.
    """

    __tablename__ = "messages"
    __table_args__ = (
        CheckConstraint(f"state IN {STATES}", name="state_known"),
        Index(None, "state", "priority", "due_at"),
        Index(None, "challenge_id"),
        Index(None, "user_id"),
        Index(None, "phone"),
        Index(None, "state", "check_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    phone: Mapped[str | None] = mapped_column(String(16))
    language: Mapped[str] = mapped_column(String(8))
    challenge_id: Mapped[str | None] = mapped_column(ForeignKey("challenges.id", ondelete="SET NULL"))
    text: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16), server_default="queued")
    priority: Mapped[int] = mapped_column(server_default="0")
    due_at: Mapped[datetime]
    taken_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default="0")
    expires_at: Mapped[datetime | None]
    provider: Mapped[str | None] = mapped_column(String(32))
    provider_ref: Mapped[str | None] = mapped_column(String(64))
    cost: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    error: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    checks: Mapped[int] = mapped_column(server_default="0")
    check_at: Mapped[datetime | None]
