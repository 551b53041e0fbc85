import os
import re
import runpy
import stat
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import make_url

from referral_app.address import is_loopback
from referral_app.config import load_settings
from referral_app.environment import BadSetting, Rate

OURS = re.compile(
    r"([A-Z_]*_URL|SECRET_KEY|HOST|PORT|(SITE|SMS|PHONE|LIMIT|SMSC|SMSAERO)_.*|TIMEZONE|.*_(HOURS|ADMIN))"
)
OURS_TOO = {"DATABASE_PASSWORD", "TRUSTED_PROXIES", "WEB_CONCURRENCY"}


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if OURS.fullmatch(name):
            monkeypatch.delenv(name)
    monkeypatch.setenv("INSTANCE_PATH", str(tmp_path / "instance"))


def test_the_defaults_are_embedded_on_loopback_with_codes_shown(tmp_path: Path) -> None:
    chosen = load_settings()
    assert chosen.embedded
    assert chosen.sms_show_codes
    assert chosen.first_user_is_admin
    assert chosen.site_url == "http://127.0.0.1:8000"
    assert chosen.database_url == f"sqlite:///{tmp_path}/instance/app.db"
    assert chosen.limit_phone_sends == (Rate(10, 86400), Rate(5, 3600), Rate(3, 900))


def test_the_secret_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    first = load_settings().secret_key
    assert load_settings().secret_key == first
    assert len(first) >= 32
    assert stat.S_IMODE((tmp_path / "instance" / "secret_key").stat().st_mode) == 0o600
    assert [file.name for file in (tmp_path / "instance").iterdir()] == ["secret_key"]


def test_codes_are_not_shown_by_default_with_a_database_server_or_an_open_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://u:p@db/name")
    assert load_settings().database_url == "postgresql+psycopg2://u:p@db/name"
    assert not load_settings().sms_show_codes
    assert not load_settings().first_user_is_admin
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.setenv("HOST", "0.0.0.0")
    monkeypatch.setenv("SITE_URL", "https://pozovi.example/")
    assert not load_settings().sms_show_codes
    assert not load_settings().first_user_is_admin
    assert load_settings().site_url == "https://pozovi.example"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("HOST", "0.0.0.0", "set SITE_URL to the address people will use"),
        ("PORT", "eighty", "PORT is not a whole number"),
        ("PORT", "70000", "set a number from 1 to 65535"),
        ("SITE_URL", "pozovi.example", "set one like https://example.com"),
        ("SITE_URL", "https://pozovi.example/path", "without a path"),
        ("SITE_URL", "https://pozovi.example:99999", "SITE_URL is no site's address"),
        ("SITE_URL", "https://exa mple.com", "SITE_URL is no site's address"),
        ("SITE_URL", 'https://example.com"><x', "SITE_URL is no site's address"),
        ("DATABASE_URL", "mysql://db/name", "set postgresql://"),
        ("DATABASE_URL", "postgresql://user:password@host:abc/name", "set postgresql://"),
        ("DATABASE_URL", "postgresql://user:password@[::1/name", "set postgresql://"),
        ("INSTANCE_PATH", "/tmp/a?b", "set a folder without"),
        ("WEB_CONCURRENCY", "abc", "WEB_CONCURRENCY is not a whole number"),
        ("PHONE_REGION", "US", "PHONE_REGION is none of PHONE_COUNTRIES"),
        ("LIMIT_PHONE_SENDS", "1/99999999999999", "more seconds than a year"),
        ("LIMIT_PHONE_SENDS", "99999999999999/60", "number above"),
        ("REDIS_URL", "redis://localhost:abc/0", "set redis://"),
        ("SMSC_URL", "http://[::1", "set one like https://example.com/"),
        ("SECRET_KEY", "short", "set 32 random characters or more"),
        ("TIMEZONE", "Moscow", "Europe/Moscow"),
        ("PHONE_COUNTRIES", "RU,XX", "unknown country 'XX'"),
        ("SMS_PROVIDER", "pigeon", "or console"),
        ("SMS_PROVIDERS", "smsc,pigeon", "unknown name"),
        ("SMSAERO_EMAIL", "", "the provider smsaero needs it"),
        ("SMSAERO_API_KEY", "", "the provider smsaero needs it"),
        ("SMSC_PASSWORD", "", "the provider smsc, or SMSC_API_KEY, needs it"),
        ("SMSC_URL", "smsc.ru", "set one like https://example.com/"),
        ("REDIS_URL", "localhost:6379", "set redis://"),
        ("SMS_SHOW_CODES", "perhaps", "1 or 0"),
        ("SMS_SIMULATED_DELAY", "-1", "from 0 to 600"),
        ("LIMIT_PHONE_SENDS", "3", "n/seconds"),
        ("LIMIT_PHONE_SENDS", "0/900", "below 1"),
        ("CODE_RESET_HOURS", "0", "from 1 to 720"),
        ("SMS_PER_HOUR", "-1", "from 0 to"),
        ("SMS_PER_DAY", "many", "SMS_PER_DAY is not a whole number"),
        ("SMS_BUDGET_PER_DAY", "ten", "set roubles like 10000"),
        ("SMS_PRICE", "-2.5", "set roubles from 0 on"),
        ("SMS_PRICE", "NaN", "set roubles from 0 on"),
        ("FIRST_USER_IS_ADMIN", "perhaps", "1 or 0"),
        ("TRUSTED_PROXIES", "-1", "from 0 to 10"),
        ("LIMIT_BLOCK_SENDS", "20", "n/seconds"),
        ("LIMIT_LOOKUPS", "30/0", "below 1"),
    ],
)
def test_a_bad_setting_stops_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    if name.startswith(("SMSAERO", "SMSC_PASSWORD")):
        for needed in ("SMSAERO_EMAIL", "SMSAERO_API_KEY", "SMSC_LOGIN", "SMSC_PASSWORD"):
            monkeypatch.setenv(needed, "something")
        monkeypatch.setenv("SMS_PROVIDERS", "smsaero,smsc")
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSetting, match=name) as refused:
        load_settings()
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("HTTPS://Example.com/", "https://example.com"),
        ("http://example.com:80", "http://example.com"),
        ("https://example.com:443", "https://example.com"),
        ("https://example.com:8443", "https://example.com:8443"),
        ("https://пример.рф", "https://xn--e1afmkfd.xn--p1ai"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_the_site_s_address_is_written_as_browsers_write_it(
    monkeypatch: pytest.MonkeyPatch, given: str, address: str
) -> None:
    monkeypatch.setenv("SITE_URL", given)
    chosen = load_settings()
    assert chosen.site_url == address
    assert chosen.is_https == address.startswith("https")


def test_an_empty_secret_is_none(tmp_path: Path) -> None:
    (tmp_path / "instance").mkdir()
    (tmp_path / "instance" / "secret_key").touch()
    with pytest.raises(BadSetting, match="holds no secret"):
        load_settings()


def test_gunicorn_stops_with_the_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "eighty")
    with pytest.raises(SystemExit, match="PORT is not a whole number"):
        runpy.run_path("gunicorn.conf.py")


def test_a_container_gets_all_of_the_environment_s_file() -> None:
    compose = Path("docker-compose.yml").read_text()
    assert "env_file: .env" in compose
    # What compose sets itself is what a container needs to be reached by the others.
    forced = re.findall(r"^    ([A-Z_]+):", compose.split("environment: &environment")[1].split("volumes:")[0], re.M)
    assert set(forced) == {
        *("SITE_URL", "SECRET_KEY", "DATABASE_URL", "DATABASE_PASSWORD", "REDIS_URL", "TRUSTED_PROXIES"),
        *("HOST", "PORT", "INSTANCE_PATH"),
    }


def test_providers_are_read_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMS_PROVIDERS", "smsc, smsaero")
    monkeypatch.setenv("SMSC_API_KEY", "key")
    monkeypatch.setenv("SMSAERO_EMAIL", "me@example.org")
    monkeypatch.setenv("SMSAERO_API_KEY", "a key of theirs")
    chosen = load_settings()
    assert chosen.sms_providers == ("smsc", "smsaero")
    assert chosen.smsaero_urls[0] == "https://gate.smsaero.ru/v2/"
    assert len(chosen.smsaero_urls) == 3
    assert chosen.sms_delay == timedelta(0)
    assert not chosen.shows_codes
    assert "a key of theirs" not in repr(chosen)


@pytest.mark.parametrize("password", ["p%a@s/s:w?o#r d", "пароль", "plain"])
def test_a_password_of_the_database_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch, password: str) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://referral@db:5432/name")
    monkeypatch.setenv("DATABASE_PASSWORD", password)
    url = make_url(load_settings().database_url)
    assert (url.username, url.password, url.host, url.port, url.database) == ("referral", password, "db", 5432, "name")


def test_limits_and_money_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIMIT_BLOCK_SENDS", "5/60,50/3600")
    monkeypatch.setenv("SMS_PRICE", "3,20")
    monkeypatch.setenv("SMS_PER_HOUR", "0")
    chosen = load_settings()
    assert chosen.limit_block_sends == (Rate(50, 3600), Rate(5, 60))
    assert chosen.sms_price == Decimal("3.20")
    assert chosen.limit_sms == (Rate(5000, 86400), Rate(0, 3600))
    assert chosen.limit_sms_money == (Rate(1_000_000, 86400),)
    assert chosen.limit_wrong_invites == (Rate(10, 86400),)
    assert chosen.limit_second_factor == (Rate(5, 900),)
    assert chosen.limit_lookups == (Rate(30, 60),)


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "")
    monkeypatch.setenv("SMS_SIMULATED_DELAY", " ")
    assert load_settings().port == 8000
    assert load_settings().sms_simulated_delay == timedelta(seconds=1.5)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("example.com", False),
    ],
)
def test_loopback_is_told_from_the_rest(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
