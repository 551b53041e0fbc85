"""A guess: one wrong code that was compared."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base


class Guess(Base):
    """A wrong code and the address it came from; gone when that address finds the right one."""

    __tablename__ = "guesses"
    __table_args__ = (Index(None, "challenge_id"), Index(None, "guessed_at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    challenge_id: Mapped[str] = mapped_column(ForeignKey("challenges.id", ondelete="CASCADE"))
    address: Mapped[str] = mapped_column(String(64))
    guessed_at: Mapped[datetime]
