"""An avatar: a user's picture."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base


class Avatar(Base):
    """A square WebP. `version` is a hash of it, which its address carries."""

    __tablename__ = "avatars"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    image: Mapped[bytes] = mapped_column(LargeBinary)
    version: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[datetime]
