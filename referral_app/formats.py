"""How phones, dates and times look in pages: filters of the templates, in the zone TIMEZONE."""

from datetime import datetime, timedelta

from flask import Flask
from flask_babel import format_date, format_datetime, format_time, to_user_timezone

from . import clock, phone


def init_app(app: Flask) -> None:
    """Add the filters."""
    app.jinja_env.filters.update(
        phone=phone.show,
        clock_time=lambda moment: format_time(moment, "HH:mm:ss" if moment.second else "HH:mm"),
        to_minute=lambda moment: format_time(moment, "HH:mm"),
        day=lambda moment: format_date(to_user_timezone(moment), "d MMMM"),
        day_and_year=lambda moment: format_date(to_user_timezone(moment), "d MMMM y"),
        day_and_time=lambda moment: format_datetime(moment, "d MMMM, HH:mm"),
        iso_day=lambda moment: to_user_timezone(moment).date().isoformat(),
        minutes=lambda seconds: f"{seconds // 60}:{seconds % 60:02}",
        after=_after,
    )


def _after(seconds: int) -> datetime:
    """Return the moment so many seconds from now, to the whole second."""
    return (clock.now() + timedelta(seconds=seconds)).replace(microsecond=0)
