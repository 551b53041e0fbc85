"""The settings: what the environment has decided."""

import hmac
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from environs import Env
from flask import current_app

from .address import is_loopback
from .environment import (
    BadSetting,
    Rate,
    folder,
    needed,
    postgresql,
    providers,
    rates,
    read,
    redis_address,
    regions,
    roubles,
    secret,
    site_address,
    web_address,
    within,
    zone,
)

ROOT = Path(__file__).parent.parent
DAY = 24 * 3600
SMSAERO_URLS = ("https://gate.smsaero.ru/v2/", "https://gate.smsaero.org/v2/", "https://gate.smsaero.net/v2/")


@dataclass(frozen=True, kw_only=True, repr=False)
class Settings:
    """What the environment has decided. README has the table of the variables.

    Rates stand with the longest window first. Money is in roubles.
    """

    instance_path: Path
    secret_key: bytes
    database_url: str
    embedded: bool
    host: str = "127.0.0.1"
    port: int = 8000
    web_concurrency: int = 1
    site_url: str = "http://127.0.0.1:8000"
    site_name: str = "Pozovi"
    timezone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Europe/Moscow"))
    phone_region: str = "RU"
    phone_countries: frozenset[str] = frozenset({"RU", "KZ", "BY"})
    sms_providers: tuple[str, ...] = ("console",)
    sms_show_codes: bool = False
    sms_simulated_delay: timedelta = timedelta(seconds=1.5)
    sms_per_hour: int = 1_000
    sms_per_day: int = 5_000
    sms_budget_per_day: Decimal = Decimal(10_000)
    sms_price: Decimal = Decimal("2.50")
    smsaero_urls: tuple[str, ...] = SMSAERO_URLS
    smsaero_email: str = ""
    smsaero_api_key: str = ""
    smsaero_sign: str = "SMS Aero"
    smsaero_test: bool = False
    smsc_url: str = "https://smsc.ru/sys/"
    smsc_login: str = ""
    smsc_password: str = ""
    smsc_api_key: str = ""
    smsc_sender: str = ""
    redis_url: str = ""
    code_reset_hours: int = 24
    session_lifetime: timedelta = timedelta(hours=720)
    first_user_is_admin: bool = False
    trusted_proxies: int = 0
    limit_phone_sends: tuple[Rate, ...] = (Rate(10, 86400), Rate(5, 3600), Rate(3, 900))
    limit_address_requests: tuple[Rate, ...] = (Rate(200, 3600),)
    limit_block_sends: tuple[Rate, ...] = (Rate(20, 3600),)
    limit_wrong_invites: tuple[Rate, ...] = (Rate(10, 86400),)
    limit_second_factor: tuple[Rate, ...] = (Rate(5, 900),)
    limit_lookups: tuple[Rate, ...] = (Rate(30, 60),)

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

    @property
    def shows_codes(self) -> bool:
        """Tell whether codes may be shown: they are, where no SMS really leaves."""
        return self.sms_show_codes and self.sms_providers == ("console",)

    @property
    def sms_delay(self) -> timedelta:
        """Return how long an SMS is held back."""
        return self.sms_simulated_delay if self.sms_providers[0] == "console" else timedelta(0)

    @property
    def limit_sms(self) -> tuple[Rate, ...]:
        """Return how many SMS may leave the site."""
        return Rate(self.sms_per_day, DAY), Rate(self.sms_per_hour, 3600)

    @property
    def limit_sms_money(self) -> tuple[Rate, ...]:
        """Return what SMS may cost, in kopecks."""
        return (Rate(int(self.sms_budget_per_day * 100), DAY),)


def settings() -> Settings:
    """Return the settings of the running app."""
    return cast("Settings", current_app.extensions["settings"])


def load_settings() -> Settings:
    """Read the environment and a `.env` file; raise BadSetting for the first thing that cannot be used."""
    env = Env()
    env.read_env(str(ROOT / ".env"), recurse=False)
    host = read(env.str, "HOST", "127.0.0.1", "a host name or address")
    port = within("PORT", read(env.int, "PORT", 8000, "a whole number"), 1, 65535)
    instance_path = folder(read(env.str, "INSTANCE_PATH", str(ROOT / "instance"), "a folder"))
    database_url = read(env.str, "DATABASE_URL", "", "an address")
    embedded = not database_url
    trying_out = embedded and is_loopback(host)

    def number(name: str, default: int, low: int, high: int) -> int:
        return within(name, read(env.int, name, default, "a whole number"), low, high)

    return _checked(
        Settings(
            instance_path=instance_path,
            secret_key=secret(read(env.str, "SECRET_KEY", "", "a text"), instance_path),
            database_url=postgresql(database_url, read(env.str, "DATABASE_PASSWORD", "", "a text"))
            if database_url
            else f"sqlite:///{instance_path / 'app.db'}",
            embedded=embedded,
            host=host,
            port=port,
            web_concurrency=number("WEB_CONCURRENCY", 1, 1, 64),
            site_url=site_address(read(env.str, "SITE_URL", "", "an address"), host, port),
            site_name=read(env.str, "SITE_NAME", "Pozovi", "a text"),
            timezone=zone(read(env.str, "TIMEZONE", "Europe/Moscow", "a time zone")),
            phone_region=regions("PHONE_REGION", [read(env.str, "PHONE_REGION", "RU", "a country")])[0],
            phone_countries=frozenset(
                regions("PHONE_COUNTRIES", read(env.list, "PHONE_COUNTRIES", ["RU", "KZ", "BY"], "countries"))
            ),
            sms_providers=providers(
                read(env.list, "SMS_PROVIDERS", [read(env.str, "SMS_PROVIDER", "console", "a name")], "names")
            ),
            sms_show_codes=read(env.bool, "SMS_SHOW_CODES", trying_out, "1 or 0"),
            sms_simulated_delay=timedelta(
                seconds=within("SMS_SIMULATED_DELAY", read(env.float, "SMS_SIMULATED_DELAY", 1.5, "seconds"), 0, 600)
            ),
            sms_per_hour=number("SMS_PER_HOUR", 1_000, 0, 10**9),
            sms_per_day=number("SMS_PER_DAY", 5_000, 0, 10**9),
            sms_budget_per_day=roubles("SMS_BUDGET_PER_DAY", "10000"),
            sms_price=roubles("SMS_PRICE", "2.50"),
            **_provider_settings(env),
            redis_url=redis_address(read(env.str, "REDIS_URL", "", "an address")),
            code_reset_hours=number("CODE_RESET_HOURS", 24, 1, 720),
            session_lifetime=timedelta(hours=number("SESSION_LIFETIME_HOURS", 720, 1, 24 * 365)),
            first_user_is_admin=read(env.bool, "FIRST_USER_IS_ADMIN", trying_out, "1 or 0"),
            trusted_proxies=number("TRUSTED_PROXIES", 0, 0, 10),
            limit_phone_sends=rates(env, "LIMIT_PHONE_SENDS", "3/900,5/3600,10/86400"),
            limit_address_requests=rates(env, "LIMIT_ADDRESS_REQUESTS", "200/3600"),
            limit_block_sends=rates(env, "LIMIT_BLOCK_SENDS", "20/3600"),
            limit_wrong_invites=rates(env, "LIMIT_WRONG_INVITES", "10/86400"),
            limit_second_factor=rates(env, "LIMIT_SECOND_FACTOR", "5/900"),
            limit_lookups=rates(env, "LIMIT_LOOKUPS", "30/60"),
        )
    )


def _provider_settings(env: Env) -> dict[str, Any]:
    def text(name: str, default: str = "") -> str:
        return read(env.str, name, default, "a text").strip()

    return {
        "smsaero_urls": tuple(
            web_address("SMSAERO_URL", url) for url in text("SMSAERO_URL", ",".join(SMSAERO_URLS)).split(",")
        ),
        "smsaero_email": text("SMSAERO_EMAIL"),
        "smsaero_api_key": text("SMSAERO_API_KEY"),
        "smsaero_sign": text("SMSAERO_SIGN", "SMS Aero"),
        "smsaero_test": read(env.bool, "SMSAERO_TEST", False, "1 or 0"),
        "smsc_url": web_address("SMSC_URL", text("SMSC_URL", "https://smsc.ru/sys/")),
        "smsc_login": text("SMSC_LOGIN"),
        "smsc_password": text("SMSC_PASSWORD"),
        "smsc_api_key": text("SMSC_API_KEY"),
        "smsc_sender": text("SMSC_SENDER"),
    }


def _checked(chosen: Settings) -> Settings:
    if chosen.phone_region not in chosen.phone_countries:
        raise BadSetting("PHONE_REGION is none of PHONE_COUNTRIES; set one of them.")
    if "smsaero" in chosen.sms_providers:
        needed("SMSAERO_EMAIL", chosen.smsaero_email, "the provider smsaero")
        needed("SMSAERO_API_KEY", chosen.smsaero_api_key, "the provider smsaero")
    if "smsc" in chosen.sms_providers and not chosen.smsc_api_key:
        needed("SMSC_LOGIN", chosen.smsc_login, "the provider smsc, or SMSC_API_KEY,")
        needed("SMSC_PASSWORD", chosen.smsc_password, "the provider smsc, or SMSC_API_KEY,")
    return chosen
