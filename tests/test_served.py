"""One walk over real HTTP for each database: the server, its jobs and its files work together."""

import json
import re
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from .conftest import new_postgresql_database
from .servers import serving, wait_for


def call(url: str, body: Any = None, token: str | None = None) -> Any:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(url, json.dumps(body).encode() if body else None, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_code_arrives_by_sms_and_signs_in(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    settings = {"SMS_SIMULATED_DELAY": "0", "SMS_SHOW_CODES": "0"}
    if kind == "postgresql":
        settings["DATABASE_URL"] = new_postgresql_database(request.getfixturevalue("postgresql_folder"), "served")
    with serving(tmp_path, **settings) as server:
        asked = call(f"{server.url}/api/v1/auth/code", {"phone": "+79991234567"})
        assert "code" not in asked
        wait_for("the SMS", lambda: list((tmp_path / "sms").glob("*.txt")))
        (sms,) = (tmp_path / "sms").glob("*.txt")
        code = re.findall(r"#(\d{4})$", sms.read_text().strip())[0]
        signed_in = call(f"{server.url}/api/v1/auth/token", {"phone": "+79991234567", "code": code})
        me = call(f"{server.url}/api/v1/profiles/me", token=signed_in["access_token"])
        assert me["phone"] == "+79991234567"
        # A client that still sends must see the refusal, not a reset connection.
        with pytest.raises(urllib.error.HTTPError) as refused:
            call(f"{server.url}/api/v1/auth/code", {"phone": " " * 5_000_000})
        assert refused.value.code == 413
        refused.value.close()
    log = (tmp_path / "log").read_text()
    assert "9991234567" not in log
    # Not in a date nor in a duration, where the same digits may stand by chance.
    assert not re.search(rf"(?<![\w.:-]){code}(?![\w.-])", log)
