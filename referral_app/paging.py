"""The one pager: numbered pages of a list, for API and pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode

from flask import request
from flask_babel import lazy_gettext as _l
from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from .config import settings

PAGE_SIZE = 50
DEEPEST = 100_000


class PageQuery(Schema):
    """The query of a list."""

    page = fields.Integer(
        load_default=1,
        validate=validate.Range(1, DEEPEST, error=_l("Use a number from 1 to 100,000.")),
        metadata={"example": 1},
    )
    page_size = fields.Integer(
        load_default=PAGE_SIZE,
        validate=validate.Range(1, 100, error=_l("Use a number from 1 to 100.")),
        metadata={"example": PAGE_SIZE},
    )

    @validates_schema
    def not_too_deep(self, data: dict[str, Any], **_options: Any) -> None:
        """Refuse what would make the database count through a whole table."""
        if data["page"] * data["page_size"] > DEEPEST:
            raise ValidationError({"page": [_l("This is too deep. Narrow the search.")]})


class Fetch(Protocol):
    """Reads some rows of a list."""

    def __call__(self, *, limit: int, offset: int) -> Sequence[Any]:
        """Return at most `limit` rows after the first `offset`."""


def cut(query: dict[str, int], count: int, fetch: Fetch) -> "Page":
    """Return the page of a list that a loaded PageQuery asks for."""
    number, size = query["page"], query["page_size"]
    return Page(number, size, count, fetch(limit=size, offset=(number - 1) * size))


@dataclass(frozen=True)
class Page:
    """One page of a list of `count` rows."""

    number: int
    size: int
    count: int
    rows: Sequence[Any]

    @property
    def last(self) -> int:
        """Return the number of the last page."""
        return max(1, -(-self.count // self.size))

    def envelope(self) -> dict[str, Any]:
        """Return the page as the API answers it, its neighbours by their addresses."""
        return {
            "count": self.count,
            "next": self._address(self.number + 1) if self.number < self.last else None,
            "previous": self._address(self.number - 1) if 1 < self.number <= self.last + 1 else None,
            "results": self.rows,
        }

    def _address(self, number: int) -> str:
        query = request.args.to_dict() | {"page": str(number), "page_size": str(self.size)}
        return f"{settings().site_url}{request.path}?{urlencode(query)}"
