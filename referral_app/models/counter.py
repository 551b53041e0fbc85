"""Counters of the limits, and the rows that commands lock."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base


class Counter(Base):
    """How often something happened in one window; the key names no phone in the clear."""

    __tablename__ = "counters"

    key: Mapped[str] = mapped_column(String(128), primary_key=True)
    window_start: Mapped[datetime] = mapped_column(primary_key=True)
    n: Mapped[int]


class Lock(Base):
    """A row that one command at a time updates."""

    __tablename__ = "locks"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    n: Mapped[int] = mapped_column(server_default="0")
