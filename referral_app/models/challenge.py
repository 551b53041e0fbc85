"""A challenge: one running confirmation of a phone."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, false
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base


class Challenge(Base):
    """A phone, a purpose, tries and an end. Its code is derived from its id and never stored.

    `phone_key` is an HMAC of the phone that stays when the phone goes. `user_id` is who asked for a change of phone, or
    who has signed in. `attempts` are wrong codes; `redeemed_at` tells when a solved one was last turned into a session
    again, by the browser that had solved it; `known` tells that it was asked from a browser that had signed in with the
    phone before.
    """

    __tablename__ = "challenges"
    __table_args__ = (
        CheckConstraint("purpose IN ('sign_in', 'phone_change', 'participation')", name="purpose_known"),
        CheckConstraint("bound IN ('api', 'browser')", name="bound_known"),
        CheckConstraint("code_length IN (4, 8)", name="code_length_known"),
        CheckConstraint("attempts BETWEEN 0 AND 3", name="attempts_within_three"),
        Index(None, "phone_key", "created_at"),
        Index(None, "user_id"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(16))
    phone: Mapped[str | None] = mapped_column(String(16))
    phone_key: Mapped[str] = mapped_column(String(64))
    code_length: Mapped[int]
    bound: Mapped[str] = mapped_column(String(8))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    draw_id: Mapped[int | None]
    address: Mapped[str | None] = mapped_column(String(64))
    known: Mapped[bool] = mapped_column(server_default=false())
    attempts: Mapped[int] = mapped_column(server_default="0")
    sends: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[datetime]
    last_sent_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    redeemed_at: Mapped[datetime | None]
