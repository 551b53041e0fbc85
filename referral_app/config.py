"""Typed settings from the environment; each refusal is a sentence that says what to set."""

import contextlib
import hmac
import ipaddress
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple, TypeVar, cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from environs import Env, EnvError
from flask import current_app

ROOT = Path(__file__).parent.parent
T = TypeVar("T")
Number = TypeVar("Number", int, float)


class BadSetting(Exception):
    """A setting that stops the start; its text is a sentence for the person who set it."""


class Rate(NamedTuple):
    """At most `limit` in each window of `seconds`."""

    limit: int
    seconds: int


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the environment has decided. README has the table of the variables."""

    instance_path: Path
    secret_key: bytes
    database_url: str
    embedded: bool
    host: str = "127.0.0.1"
    port: int = 8000
    site_url: str = "http://127.0.0.1:8000"
    site_name: str = "Pozovi"
    timezone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Europe/Moscow"))
    phone_region: str = "RU"
    phone_countries: frozenset[str] = frozenset({"RU", "KZ", "BY"})
    sms_provider: str = "console"
    sms_show_codes: bool = False
    sms_simulated_delay: timedelta = timedelta(seconds=1.5)
    code_reset_hours: int = 24
    session_lifetime: timedelta = timedelta(hours=720)
    trusted_proxies: int = 0
    limit_phone_sends: tuple[Rate, ...] = (Rate(10, 86400), Rate(5, 3600), Rate(3, 900))
    limit_address_requests: tuple[Rate, ...] = (Rate(200, 3600),)

    def key(self, label: str) -> bytes:
        """Return the key for one use, 32 bytes, derived from SECRET_KEY: no use can forge for another."""
        return hmac.digest(self.secret_key, label.encode(), "sha256")

    @property
    def is_https(self) -> bool:
        """Tell whether people reach the site by HTTPS."""
        return self.site_url.startswith("https://")

    @property
    def site_host(self) -> str:
        """Return the host of SITE_URL without its port: what an SMS binds its code to."""
        return urlsplit(self.site_url).hostname or ""


def settings() -> Settings:
    """Return the settings of the running app."""
    return cast("Settings", current_app.extensions["settings"])


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address means this machine alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.casefold() == "localhost"


def load_settings() -> Settings:
    """Read the environment and a `.env` file; raise BadSetting for the first thing that cannot be used."""
    env = Env()
    env.read_env(str(ROOT / ".env"), recurse=False)
    host = _read(env.str, "HOST", "127.0.0.1", "a host name or address")
    port = _within("PORT", _read(env.int, "PORT", 8000, "a whole number"), 1, 65535)
    instance_path = _instance_path(_read(env.str, "INSTANCE_PATH", str(ROOT / "instance"), "a folder"))
    database_url = _read(env.str, "DATABASE_URL", "", "an address")
    embedded = not database_url
    return Settings(
        instance_path=instance_path,
        secret_key=_secret_key(_read(env.str, "SECRET_KEY", "", "a text"), instance_path),
        database_url=_postgresql(database_url) if database_url else f"sqlite:///{instance_path / 'app.db'}",
        embedded=embedded,
        host=host,
        port=port,
        site_url=_site_url(_read(env.str, "SITE_URL", "", "an address"), host, port),
        site_name=_read(env.str, "SITE_NAME", "Pozovi", "a text"),
        timezone=_timezone(_read(env.str, "TIMEZONE", "Europe/Moscow", "a time zone")),
        phone_region=_regions("PHONE_REGION", [_read(env.str, "PHONE_REGION", "RU", "a country")])[0],
        phone_countries=frozenset(
            _regions("PHONE_COUNTRIES", _read(env.list, "PHONE_COUNTRIES", ["RU", "KZ", "BY"], "countries"))
        ),
        sms_provider=_provider(_read(env.str, "SMS_PROVIDER", "console", "a name")),
        sms_show_codes=_read(env.bool, "SMS_SHOW_CODES", embedded and is_loopback(host), "1 or 0"),
        sms_simulated_delay=timedelta(
            seconds=_within("SMS_SIMULATED_DELAY", _read(env.float, "SMS_SIMULATED_DELAY", 1.5, "seconds"), 0, 600)
        ),
        code_reset_hours=_within("CODE_RESET_HOURS", _read(env.int, "CODE_RESET_HOURS", 24, "whole hours"), 1, 720),
        session_lifetime=timedelta(
            hours=_within(
                "SESSION_LIFETIME_HOURS", _read(env.int, "SESSION_LIFETIME_HOURS", 720, "whole hours"), 1, 24 * 365
            )
        ),
        trusted_proxies=_within("TRUSTED_PROXIES", _read(env.int, "TRUSTED_PROXIES", 0, "a whole number"), 0, 10),
        limit_phone_sends=_rates(env, "LIMIT_PHONE_SENDS", "3/900,5/3600,10/86400"),
        limit_address_requests=_rates(env, "LIMIT_ADDRESS_REQUESTS", "200/3600"),
    )


def _read(parse: Callable[[str], T], name: str, default: T, what: str) -> T:
    """Return a variable as its type; one that is empty counts as not set."""
    if not os.environ.get(name, "").strip():
        return default
    try:
        return parse(name)
    except EnvError as error:
        raise BadSetting(f"{name} is not {what}; set it to {what} or leave it unset.") from error


def _within(name: str, value: Number, low: float, high: float) -> Number:
    if not low <= value <= high:
        raise BadSetting(f"{name} is {value}; set a number from {low} to {high}.")
    return value


def _instance_path(text: str) -> Path:
    path = Path(text).absolute()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise BadSetting(f"INSTANCE_PATH: {path} cannot be made ({error.strerror}); set another folder.") from error
    return path


def _secret_key(given: str, instance_path: Path) -> bytes:
    if given and len(given) < 32:
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
        return path.read_bytes()
    except OSError as error:
        raise BadSetting(f"INSTANCE_PATH: {path} cannot be read or made ({error.strerror}).") from error


def _postgresql(url: str) -> str:
    scheme, _, rest = url.partition("://")
    if scheme not in {"postgres", "postgresql", "postgresql+psycopg2"} or not rest:
        raise BadSetting("DATABASE_URL is no PostgreSQL address; set postgresql://user:password@host/name.")
    return f"postgresql+psycopg2://{rest}"


def _site_url(text: str, host: str, port: int) -> str:
    if not text:
        if not is_loopback(host):
            raise BadSetting(
                f"HOST {host} is open to others, but SITE_URL is not set; set SITE_URL to the address people will use."
            )
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"
    try:
        parts = urlsplit(text.rstrip("/"))
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.path or parts.query or parts.fragment or parts.username:
        raise BadSetting("SITE_URL is no site's address; set one like https://example.com, without a path.")
    return text.rstrip("/")


def _timezone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadSetting("TIMEZONE is unknown; set a name like Europe/Moscow.") from error


def _regions(name: str, codes: list[str]) -> list[str]:
    codes = [code.strip().upper() for code in codes]
    if unknown := [code for code in codes if code not in phonenumbers.SUPPORTED_REGIONS]:
        raise BadSetting(f"{name} has the unknown country {unknown[0]!r}; set codes like RU,KZ,BY.")
    return codes


def _provider(name: str) -> str:
    if name != "console":
        raise BadSetting("SMS_PROVIDER is unknown; set console, which keeps each SMS as a file.")
    return name


def _rates(env: Env, name: str, default: str) -> tuple[Rate, ...]:
    """Return the limits of one kind, the longest window first."""
    try:
        rates = [Rate(*map(int, part.split("/"))) for part in _read(env.str, name, default, "n/seconds").split(",")]
    except (TypeError, ValueError) as error:
        raise BadSetting(f"{name} is not a list of n/seconds; set it like {default}.") from error
    if any(limit < 1 or seconds < 1 for limit, seconds in rates):
        raise BadSetting(f"{name} has a number below 1; set it like {default}.")
    return tuple(sorted(rates, key=lambda rate: -rate.seconds))
