"""flask sms: trying providers out, and the fake gateway served."""

import json
import os
import re
import urllib.request
from pathlib import Path
from typing import Any

from click.testing import Result
from flask import Flask

from referral_app.gateways.fake import FakeGateway
from tests.factories import PHONE
from tests.servers import running, wait_for


def run(app: Flask, *words: str) -> Result:
    return app.test_cli_runner().invoke(args=["sms", *words])


def test_a_test_message_goes_by_each_provider(app: Flask, fake: FakeGateway) -> None:
    answer = run(app, "test", "8 999 123-45-67")
    assert answer.exit_code == 0
    assert answer.output.splitlines()[0] == "smsaero: sent as 1, 2.20 roubles"
    assert re.fullmatch(r"smsc: sent as test\d+, 2\.20 roubles", answer.output.splitlines()[1])
    assert fake.received() == {PHONE: 2}


def test_what_each_provider_refuses_is_told(app: Flask, fake: FakeGateway) -> None:
    fake.fail("smsaero", "no_money")
    fake.fail("smsc", "wrong_key")
    answer = run(app, "test", PHONE)
    assert answer.exit_code == 1
    assert answer.output.splitlines() == ["smsaero: not taken (no_money)", "smsc: not taken (wrong_key)"]


def test_the_balance_of_each_provider_and_the_days_cost(app: Flask, fake: FakeGateway) -> None:
    lines = run(app, "balance").output.splitlines()
    assert lines == ["smsaero: 1389.26 roubles", "smsc: 100.50 roubles", "sent today: 0 roubles"]
    fake.dead.add("smsaero")
    assert run(app, "balance").output.splitlines()[1:] == lines[1:]


def test_the_console_costs_nothing(app: Flask) -> None:
    assert run(app, "balance").output.splitlines()[0] == "console: costs nothing"


def test_the_fake_gateway_is_served_for_trying_out(tmp_path: Path) -> None:

    env = {**os.environ, "INSTANCE_PATH": str(tmp_path)}
    with running(["flask", "sms", "fake-gateway", "--port", "0"], tmp_path / "log", env) as process:
        wait_for("the fake", lambda: "SMSC_URL=" in (tmp_path / "log").read_text() or process.poll() is not None)
        address = re.findall(r"SMSAERO_URL=(\S+)/v2/", (tmp_path / "log").read_text())[0]

        def ask(path: str, body: Any = None) -> Any:
            data = json.dumps(body).encode() if body else None
            headers = {"Content-Type": "application/json", "Authorization": "Basic bWU6a2V5"}
            with urllib.request.urlopen(urllib.request.Request(address + path, data, headers), timeout=30) as answer:
                return json.load(answer)

        assert ask("/faults", {"provider": "smsaero", "fault": "refuse"})["waiting"]["smsaero"] == ["refuse"]
        sms = {"number": "79990000000", "text": "text", "sign": "SMS Aero"}
        assert ask("/v2/sms/send", sms)["success"] is False
        assert ask("/v2/sms/send", sms)["data"]["id"] == 1
        assert ask("/received") == {"+79990000000": 1}
        assert ask("/messages")[0]["text"] == "text"
