"""One walk with a real Redis, a worker process and the fake of the providers over real HTTP."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from referral_app.cli.sms import _Quiet
from referral_app.gateways.fake import FakeGateway

from .conftest import new_postgresql_database
from .redis_server import serving_redis
from .servers import environment, running, serving, wait_for
from .test_served import call

PHONE = "+79991234567"


@contextmanager
def serving_fake() -> Iterator[tuple[FakeGateway, str]]:
    """Serve the fake of the providers; yield it and its address."""
    fake = FakeGateway()
    server = make_server("127.0.0.1", 0, fake, threaded=True, request_handler=_Quiet)
    server.daemon_threads = True  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield fake, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def test_a_code_goes_from_the_web_process_by_redis_and_a_worker_to_the_second_provider(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    database = new_postgresql_database(request.getfixturevalue("postgresql_folder"), "worker")
    with serving_redis(tmp_path) as redis, serving_fake() as (fake, gateway):
        settings = {
            "DATABASE_URL": database,
            "REDIS_URL": redis.url,
            "SMS_PROVIDERS": "smsaero,smsc",
            "SMSAERO_URL": f"{gateway}/v2/",
            "SMSAERO_EMAIL": "tests@example.org",
            "SMSAERO_API_KEY": "key",
            "SMSC_URL": f"{gateway}/sys/",
            "SMSC_LOGIN": "tests",
            "SMSC_PASSWORD": "key",
        }
        fake.fail("smsaero", "cut")
        fake.fail("smsaero", "refuse")
        with serving(tmp_path, **settings) as server:
            env = environment(tmp_path, **settings)
            with running(["flask", "worker"], tmp_path / "worker.log", env) as worker:
                first = call(f"{server.url}/api/v1/auth/code", {"phone": PHONE})
                wait_for("the first SMS", lambda: fake.received()[PHONE] == 1)
                path = f"{server.url}/api/v1/auth/challenges/{first['challenge_id']}"
                wait_for("the commit", lambda: call(path)["state"] in {"sent", "delivered"})
                call(f"{server.url}/api/v1/auth/code", {"phone": "+79161234567"})
                wait_for("the second SMS", lambda: fake.received()["+79161234567"] == 1)
                assert [sms.provider for sms in fake.messages] == ["smsaero", "smsc"]
                code = re.findall(r"#(\d{4})$", fake.messages[0].text)[0]
                assert call(f"{server.url}/api/v1/auth/token", {"phone": PHONE, "code": code})["created"] is True
                worker.terminate()
                assert worker.wait(60) == 0
        log = (tmp_path / "worker.log").read_text() + (tmp_path / "log").read_text()
    assert "9991234567" not in log
    # Not in a date nor in a duration, where the same digits may stand by chance.
    assert not re.search(rf"(?<![\w.:-]){code}(?![\w.-])", log)
