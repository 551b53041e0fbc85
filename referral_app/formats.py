"""How phones, dates and times look in pages: filters of the templates, in the zone TIMEZONE.

Times are marked so that the script can show them in the reader's own zone.
"""

from datetime import datetime, timedelta

from flask import Flask
from flask_babel import format_date, format_datetime, format_time, to_user_timezone
from markupsafe import Markup, escape

from . import clock, phone

DAY_AND_TIME = "d\u00a0MMMM, HH:mm"


def init_app(app: Flask) -> None:
    """Add the filters."""
    app.jinja_env.filters.update(
        phone=phone.show,
        clock_time=_clock_time,
        to_minute=lambda moment: _marked(moment, "time", format_time(moment, "HH:mm")),
        soon=_soon,
        day=lambda moment: format_date(to_user_timezone(moment), "d\u00a0MMMM"),
        day_and_year=lambda moment: format_date(to_user_timezone(moment), "d\u00a0MMMM\u00a0y"),
        day_and_time=lambda moment: _marked(moment, "day", format_datetime(moment, DAY_AND_TIME)),
        plain_day_and_time=lambda moment: format_datetime(moment, DAY_AND_TIME),
        iso_day=lambda moment: to_user_timezone(moment).date().isoformat(),
        minutes=lambda seconds: f"{seconds // 60}:{seconds % 60:02}",
        after=_after,
        name=_name,
    )


def _after(seconds: int) -> datetime:
    """Return the moment so many seconds from now, to the whole second."""
    return (clock.now() + timedelta(seconds=seconds)).replace(microsecond=0)


def _name(text: str | None) -> Markup:
    """Return a name for text and double-quoted attributes, where an apostrophe can stand as it is."""
    return Markup(str(escape(text or "")).replace("&#39;", "'"))  # noqa: S704


def _clock_time(moment: datetime) -> Markup:
    if moment.second:
        return _marked(moment, "seconds", format_time(moment, "HH:mm:ss"))
    return _marked(moment, "time", format_time(moment, "HH:mm"))


def _soon(moment: datetime) -> Markup:
    """Return a time of today, or with its day one of tomorrow."""
    if to_user_timezone(moment).date() == to_user_timezone(clock.now()).date():
        return _clock_time(moment)
    return _marked(moment, "day", format_datetime(moment, DAY_AND_TIME))


def _marked(moment: datetime, kind: str, shown: str) -> Markup:
    stamp = moment.isoformat(timespec="seconds")
    return Markup('<time class="nowrap" datetime="{}" data-local="{}">{}</time>').format(stamp, kind, shown)
