"""Reading the environment: each variable as its type, each refusal a sentence that says what to set."""

import contextlib
import os
import re
import secrets
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import NamedTuple, TypeVar
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from environs import Env, EnvError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from .address import is_loopback

T = TypeVar("T")
Number = TypeVar("Number", int, float)


_MOST, _LONGEST = 10**9, 366 * 24 * 3600
_SECRET = 32  # characters at least
_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9_.-]+|[0-9a-f:.]+", re.ASCII)


class BadSetting(Exception):
    """A setting that stops the start; its text is a sentence for the person who set it."""


class Rate(NamedTuple):
    """At most `limit` in each window of `seconds`."""

    limit: int
    seconds: int


def read(parse: Callable[[str], T], name: str, default: T, what: str) -> T:
    """Return a variable as its type; one that is empty counts as not set."""
    if not os.environ.get(name, "").strip():
        return default
    try:
        return parse(name)
    except EnvError as error:
        raise BadSetting(f"{name} is not {what}; set it to {what} or leave it unset.") from error


def within(name: str, value: Number, low: float, high: float) -> Number:
    """Return a number that has to lie between two."""
    if not low <= value <= high:
        raise BadSetting(f"{name} is {value}; set a number from {low} to {high}.")
    return value


def folder(text: str) -> Path:
    """Return a folder, made where it is missing."""
    path = Path(text).absolute()
    if set("?#%") & set(str(path)):
        raise BadSetting(f"INSTANCE_PATH: {path} has a character that no address can hold; set a folder without ? # %.")
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise BadSetting(f"INSTANCE_PATH: {path} cannot be made ({error.strerror}); set another folder.") from error
    return path


def secret(given: str, instance_path: Path) -> bytes:
    """Return the secret that was given, or the one that is kept in the folder."""
    if given and len(given) < _SECRET:
        raise BadSetting("SECRET_KEY is too short; set 32 random characters or more, or leave it unset.")
    return given.encode() or _kept_secret(instance_path / "secret_key")


def _kept_secret(path: Path) -> bytes:
    """Return the secret of a file that is made at the first start, readable by its owner alone."""
    try:
        if not path.exists():
            # Two first starts at once: a file gets its name only when it is whole, and the first to name it wins.
            whole = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
            with os.fdopen(os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(48))
            with contextlib.suppress(FileExistsError):
                path.hardlink_to(whole)
            whole.unlink()
        kept = path.read_bytes()
    except OSError as error:
        raise BadSetting(f"INSTANCE_PATH: {path} cannot be read or made ({error.strerror}).") from error
    if len(kept) < _SECRET:
        raise BadSetting(f"INSTANCE_PATH: {path} holds no secret; delete the file, or set SECRET_KEY.")
    return kept


def postgresql(url: str, password: str = "") -> str:
    """Return the address of a PostgreSQL database as SQLAlchemy wants it; `password` is one as it is, not quoted."""
    scheme, _, rest = url.partition("://")
    if scheme not in {"postgres", "postgresql", "postgresql+psycopg2"} or not rest:
        raise BadSetting("DATABASE_URL is no PostgreSQL address; set postgresql://user:password@host/name.")
    if password:
        user, at, place = rest.rpartition("@")
        rest = f"{user.partition(':')[0]}:{quote(password, safe='')}@{place}" if at else rest
    address = f"postgresql+psycopg2://{rest}"
    try:
        make_url(address)
    except (ArgumentError, ValueError) as error:
        raise BadSetting("DATABASE_URL is no PostgreSQL address; set postgresql://user:password@host/name.") from error
    return address


def site_address(text: str, host: str, port: int) -> str:
    """Return the address that people use, as browsers write it; without one that of a server on loopback."""
    if not text:
        if not is_loopback(host):
            raise BadSetting(
                f"HOST {host} is open to others, but SITE_URL is not set; set SITE_URL to the address people will use."
            )
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"
    try:
        parts = urlsplit(text.rstrip("/"))
        name = (parts.hostname or "").encode("idna").decode().lower()
        usable = parts.scheme in _PORTS and _HOST.fullmatch(name) and parts.port != 0
        given = parts.port
    except ValueError:  # a broken port, or no host in any script
        usable = None
    if not usable or parts.path or parts.query or parts.fragment or parts.username:
        raise BadSetting("SITE_URL is no site's address; set one like https://example.com, without a path.")
    if ":" in name:
        name = f"[{name}]"
    return f"{parts.scheme}://{name}" if given in {None, _PORTS[parts.scheme]} else f"{parts.scheme}://{name}:{given}"


def zone(name: str) -> ZoneInfo:
    """Return a time zone by its name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadSetting("TIMEZONE is unknown; set a name like Europe/Moscow.") from error


def regions(name: str, codes: list[str]) -> list[str]:
    """Return codes of countries (ISO 3166)."""
    codes = [code.strip().upper() for code in codes]
    if unknown := [code for code in codes if code not in phonenumbers.SUPPORTED_REGIONS]:
        raise BadSetting(f"{name} has the unknown country {unknown[0]!r}; set codes like RU,KZ,BY.")
    return codes


def providers(names: list[str]) -> tuple[str, ...]:
    """Return the names of SMS providers, in their order."""
    chosen = tuple(dict.fromkeys(name.strip() for name in names if name.strip()))
    if not chosen or set(chosen) - {"console", "smsaero", "smsc"}:
        raise BadSetting(
            "SMS_PROVIDERS has an unknown name; set smsaero, smsc or both, or console, which keeps each SMS as a file."
        )
    return chosen


def needed(name: str, value: str, for_what: str) -> None:
    """Refuse what is missing."""
    if not value:
        raise BadSetting(f"{name} is not set, but {for_what} needs it; set it.")


def web_address(name: str, text: str) -> str:
    """Return an address of HTTP that ends in a slash."""
    if not _is_address(text, {"http", "https"}):
        raise BadSetting(f"{name} is no address; set one like https://example.com/.")
    return text.rstrip("/") + "/"


def redis_address(text: str) -> str:
    """Return the address of a Redis server, or nothing."""
    if text and not (text.startswith("unix://") or _is_address(text, {"redis", "rediss"})):
        raise BadSetting("REDIS_URL is no Redis address; set redis://host:6379/0.")
    return text


def _is_address(text: str, schemes: set[str]) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def rates(env: Env, name: str, default: str) -> tuple[Rate, ...]:
    """Return the limits of one kind, the longest window first."""
    try:
        rates = [Rate(*map(int, part.split("/"))) for part in read(env.str, name, default, "n/seconds").split(",")]
    except (TypeError, ValueError) as error:
        raise BadSetting(f"{name} is not a list of n/seconds; set it like {default}.") from error
    if any(limit < 1 or seconds < 1 for limit, seconds in rates):
        raise BadSetting(f"{name} has a number below 1; set it like {default}.")
    if any(limit > _MOST or seconds > _LONGEST for limit, seconds in rates):
        raise BadSetting(f"{name} has a number above {_MOST}, or more seconds than a year; set it like {default}.")
    return tuple(sorted(rates, key=lambda rate: -rate.seconds))


def roubles(name: str, default: str) -> Decimal:
    """Return an amount of money."""
    try:
        amount = Decimal(os.environ.get(name, "").strip().replace(",", ".") or default)
    except InvalidOperation as error:
        raise BadSetting(f"{name} is no amount; set roubles like {default}.") from error
    if not (amount.is_finite() and 0 <= amount <= 1_000_000_000):
        raise BadSetting(f"{name} is {amount}; set roubles from 0 on, like {default}.")
    return amount
