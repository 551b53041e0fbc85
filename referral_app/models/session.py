"""A session: one sign-in of one device."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base


class Session(Base):
    """One sign-in. A browser's token is kept as a hash; an API session is named by its signed tokens."""

    __tablename__ = "sessions"
    __table_args__ = (
        CheckConstraint("kind IN ('api', 'browser')", name="kind_known"),
        CheckConstraint("(kind = 'browser') = (token_hash IS NOT NULL)", name="browser_has_token"),
        Index(None, "user_id", "created_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    kind: Mapped[str] = mapped_column(String(8))
    token_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    refresh_no: Mapped[int] = mapped_column(server_default="0")
    refreshed_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    second_factor_at: Mapped[datetime | None]
    user_agent: Mapped[str | None] = mapped_column(String(255))
    address: Mapped[str | None] = mapped_column(String(64))
