"""Providers of SMS: their protocols, failover, each fault once, and the truth about what became of an SMS."""

import logging
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from flask import Flask
from sqlalchemy import select, update

from referral_app import jobs
from referral_app.db import transaction
from referral_app.gateways import choice, http
from referral_app.gateways.fake import FAULTS, FakeGateway
from referral_app.gateways.sms import NoAccess, NotTaken, Receipt, Unclear
from referral_app.gateways.smsaero import SmsAeroGateway
from referral_app.models import Attempt, Message
from referral_app.services import batches, messages, outbox, statuses, trials
from tests.conftest import Clock
from tests.factories import PHONE, Api, World

pytestmark = pytest.mark.both_databases


def run(app: Flask) -> int:
    with app.app_context():
        return outbox.run_once()


def check(app: Flask) -> int:
    with app.app_context():
        return statuses.check_once()


def message(world: World) -> Any:
    (row,) = world.rows(select(Message))
    return row.Message


def attempts(world: World) -> list[tuple[str, str | None, str | None]]:
    rows = world.rows(select(Attempt.provider, Attempt.outcome, Attempt.reason).order_by(Attempt.id))
    return [tuple(row) for row in rows]


def test_a_code_goes_by_the_first_provider_and_its_state_is_told_until_it_is_final(
    api: Api, app: Flask, world: World, clock: Clock, fake: FakeGateway
) -> None:
    fake.fail("smsaero", "late")
    asked = api.ask().json
    assert "code" not in asked  # an SMS really leaves
    path = f"/auth/challenges/{asked['challenge_id']}"
    assert api.get(path).json["state"] == "queued"
    run(app)
    assert api.get(path).json == {
        "state": "sent",
        "code_length": 4,
        "expires_in": 600,
        "resend_in": 60,
        "tries_left": 3,
    }
    assert (message(world).provider, message(world).provider_ref, message(world).cost) == (
        "smsaero",
        "1",
        Decimal("2.20"),
    )
    assert check(app) == 0
    clock.move(seconds=10)
    assert check(app) == 1
    fake.deliver()
    clock.move(seconds=50)
    assert check(app) == 1
    assert api.get(path).json["state"] == "delivered"
    clock.move(minutes=30)
    assert check(app) == 0
    code = re.findall(r"#(\d{4})$", fake.messages[0].text)[0]
    assert api.exchange(code).status_code == 400  # too old by now
    assert attempts(world) == [("smsaero", "taken", None)]


def test_where_a_provider_tells_slowly_the_rest_of_a_batch_is_given_back(
    api: Api, app: Flask, world: World, clock: Clock, fake: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.fail("smsaero", "late", 3)
    for number in range(3):
        api.ask(f"+7999000000{number}")
    run(app)
    clock.move(seconds=10)
    status = SmsAeroGateway.status

    def slowly(gateway: SmsAeroGateway, reference: str, key: str, phone: str) -> Receipt:
        clock.move(seconds=3)
        return status(gateway, reference, key, phone)

    monkeypatch.setattr(SmsAeroGateway, "status", slowly)
    assert check(app) == 1
    rows = world.rows(select(Message.checks, Message.taken_until).order_by(Message.id))
    assert [tuple(row) for row in rows] == [(1, None), (0, None), (0, None)]


def test_a_final_state_stays_whoever_asks_late(
    api: Api, app: Flask, world: World, clock: Clock, fake: FakeGateway
) -> None:
    fake.fail("smsaero", "late")
    api.ask()
    run(app)
    clock.move(seconds=10)
    with app.app_context():
        late = statuses._take_due(clock.now())
        with transaction() as session:
            session.execute(update(Message).values(state="delivered"))
        statuses._settle([statuses.Result(late[0], "failed", None)], [])
    assert message(world).state == "delivered"


def test_what_is_not_final_after_half_an_hour_is_unknown(
    api: Api, app: Flask, world: World, clock: Clock, fake: FakeGateway
) -> None:
    fake.fail("smsaero", "late")
    api.ask()
    run(app)
    asked_at = []
    for _ in range(40):
        clock.move(minutes=1)
        if check(app):
            asked_at.append(clock.now() - message(world).sent_at)
    assert asked_at == [timedelta(minutes=m) for m in (1, 5, 30)]
    assert message(world).state == "unknown"
    fake.deliver()
    clock.move(days=1)
    assert check(app) == 0


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault not in {"late", "repeated"}])
@pytest.mark.parametrize("provider", ["smsaero", "smsc"])
def test_after_each_fault_the_code_arrives_once(
    api: Api,
    app: Flask,
    world: World,
    fake: FakeGateway,
    change_settings: Callable[..., None],
    provider: str,
    fault: str,
) -> None:
    other = {"smsaero": "smsc", "smsc": "smsaero"}[provider]
    change_settings(sms_providers=(provider, other))
    fake.fail(provider, fault)
    api.ask()
    run(app)
    assert fake.received() == {PHONE: 1}
    found = fault in {"hang_after", "cut", "wrong_json", "empty", "no_id"}
    assert message(world).provider == (provider if found else other)
    assert message(world).state in {"sent", "delivered"}
    assert message(world).provider_ref
    if found:
        assert attempts(world) == [(provider, "taken", None)]
    else:
        assert [(row[0], row[1]) for row in attempts(world)] == [(provider, "not_taken"), (other, "taken")]


def test_a_dead_provider_is_passed_over(api: Api, app: Flask, world: World, fake: FakeGateway) -> None:
    fake.dead.add("smsaero")
    api.ask()
    run(app)
    assert fake.received() == {PHONE: 1}
    assert attempts(world) == [("smsaero", "unclear", "http_503"), ("smsc", "taken", None)]


def test_with_both_dead_it_is_tried_again_until_the_code_is_too_old(
    api: Api, app: Flask, world: World, clock: Clock, fake: FakeGateway
) -> None:
    fake.dead.update({"smsaero", "smsc"})
    api.ask()
    began = clock.now()
    for _minute in range(15):
        run(app)
        clock.move(minutes=1)
    tried = world.rows(select(Attempt.started_at).where(Attempt.outcome == "unclear").order_by(Attempt.id))
    assert [(row.started_at - began) // timedelta(minutes=1) for row in tried] == [0, 0, 1, 3]
    assert message(world).state == "expired"
    fake.dead.clear()
    assert run(app) == 0
    assert fake.received() == {}


def test_the_same_text_again_is_refused_for_a_while_and_not_for_ever(
    api: Api, app: Flask, world: World, clock: Clock, fake: FakeGateway, change_settings: Callable[..., None]
) -> None:
    change_settings(sms_providers=("smsc",))
    fake.fail("smsc", "repeated")
    api.ask()
    assert run(app) == 1
    assert message(world).due_at == clock.now() + timedelta(seconds=30)
    clock.move(seconds=30)
    run(app)
    assert fake.received() == {PHONE: 1}


@pytest.mark.parametrize("fault", ["no_money", "wrong_key"])
def test_a_provider_that_takes_nothing_is_said_once_an_hour_and_counted(
    api: Api, app: Flask, clock: Clock, fake: FakeGateway, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    fake.fail("smsaero", fault, 3)
    for number in range(3):
        api.ask(f"+7999000000{number}")
    with caplog.at_level(logging.ERROR):
        run(app)
    alarms = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [record.facts for record in alarms] == [{"provider": "smsaero", "reason": fault}]  # type: ignore[attr-defined]
    assert len(fake.received()) == 3
    with app.app_context():
        assert f"{fault} 3 times this hour" in trials.ask_balances()[0].said


def test_neither_phones_nor_codes_nor_keys_reach_the_log(
    api: Api, app: Flask, clock: Clock, fake: FakeGateway, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for fault in ("refuse", "hang_after"):
        fake.fail("smsaero", fault)
        fake.fail("smsc", fault)
    api.ask()
    while not fake.messages:
        run(app)
        clock.move(minutes=1)
    code = re.findall(r"#(\d{4})$", fake.messages[0].text)[0]
    assert caplog.text
    for secret in ("9991234567", "a password", "a key", f" {code}"):
        assert secret not in caplog.text


def test_the_days_money_is_what_the_provider_asks_for(api: Api, app: Flask, world: World, fake: FakeGateway) -> None:
    api.ask()
    assert world.counted("sms-money") == 250
    run(app)
    assert world.counted("sms-money") == 220
    with app.app_context():
        assert trials.find_day_cost() == Decimal("2.20")


def test_after_a_kill_between_the_answer_and_the_commit_it_is_found_at_the_provider(
    api: Api, app: Flask, world: World, clock: Clock, fake: FakeGateway
) -> None:
    api.ask()
    with app.app_context():
        (taken,) = batches.take_due(clock.now())
        first = choice.by_name(app.extensions["settings"], taken.provider)
        assert first is not None
        first.send(str(taken.id), PHONE, str(taken.text))  # and then the process dies
    clock.move(seconds=60)
    run(app)
    assert fake.received() == {PHONE: 1}
    assert (message(world).state, message(world).attempts) == ("delivered", 1)


def test_a_code_that_goes_again_is_not_taken_for_the_one_before(
    api: Api, app: Flask, world: World, clock: Clock, fake: FakeGateway
) -> None:
    api.ask()
    run(app)
    clock.move(minutes=1)
    api.ask()
    fake.fail("smsaero", "hang_before")
    run(app)
    assert fake.received() == {PHONE: 2}
    assert [sms.provider for sms in fake.messages] == ["smsaero", "smsc"]
    assert fake.messages[0].text == fake.messages[1].text


@pytest.mark.parametrize(
    "data",
    [
        {"id": "9" * 200, "status": 0},
        {"id": 7, "status": "nonsense", "cost": "a lot"},
        {"id": 7, "status": 99, "cost": "1e99"},
        {"id": 7, "status": None, "cost": -1},
        {"id": 7, "cost": "NaN"},
    ],
)
def test_an_answer_that_nobody_expects_holds_nothing_up(
    api: Api, app: Flask, world: World, fake: FakeGateway, monkeypatch: pytest.MonkeyPatch, data: dict[str, Any]
) -> None:
    answer = httpx.Response(200, json={"success": True, "data": data})
    transport = httpx.MockTransport(lambda _request: answer)
    monkeypatch.setattr(http, "client", lambda **options: httpx.Client(transport=transport, **options))
    api.ask()
    api.ask("+79161234567")
    run(app)
    assert [row.state for row in world.rows(select(Message.state))] == ["sent", "sent"]


@pytest.mark.parametrize(("seconds", "size", "reason"), [(-1, 1, "timeout"), (600, 65 * 1024, "garbled")])
def test_an_answer_without_an_end_is_given_up(
    monkeypatch: pytest.MonkeyPatch, seconds: int, size: int, reason: str
) -> None:
    monkeypatch.setattr(http, "_WHOLE", seconds)

    class Drops(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            while True:
                yield b" " * size

    transport = httpx.MockTransport(lambda _request: httpx.Response(200, stream=Drops()))
    with httpx.Client(transport=transport) as client, pytest.raises(Unclear) as unclear:
        http.ask(client, ["https://example.com/"])
    assert unclear.value.reason == reason


def test_a_gateway_that_raises_what_nobody_expects_holds_nothing_up(
    api: Api, app: Flask, world: World, fake: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("referral_app.gateways.smsaero.SmsAeroGateway.send", fail)
    api.ask()
    api.ask("+79161234567")
    run(app)
    assert fake.received() == {PHONE: 1, "+79161234567": 1}
    monkeypatch.setattr("referral_app.gateways.smsc.SmscGateway.status", fail)
    with app.app_context(), transaction() as session:
        session.execute(update(Message).values(state="sent", check_at=Message.created_at))
    assert check(app) == 2
    assert {row.state for row in world.rows(select(Message.state))} == {"sent"}


def test_what_is_no_code_is_never_sent_twice(api: Api, app: Flask, world: World, fake: FakeGateway) -> None:
    api.ask()
    with app.app_context(), transaction() as session:
        session.execute(update(Message).values(kind="notice", text="a notice", challenge_id=None))
    fake.dead.add("smsaero")
    run(app)
    assert message(world).state == "unknown"
    assert fake.received() == {}


def test_codes_go_before_everything_else(api: Api, app: Flask, clock: Clock, fake: FakeGateway) -> None:
    api.ask("+79990000001")
    with app.app_context(), transaction() as session:
        session.execute(update(Message).values(kind="notice", text="a notice", challenge_id=None, priority=1))
    clock.move(seconds=1)
    api.ask("+79990000002")
    run(app)
    assert [sms.phone for sms in fake.messages] == ["+79990000002", "+79990000001"]


def test_a_sent_message_wakes_the_task_that_asks_for_its_status(
    api: Api, app: Flask, clock: Clock, fake: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[int] = []
    monkeypatch.setattr(jobs.check_messages, "schedule", lambda delay: woken.append(round(delay)))
    fake.fail("smsaero", "late")
    with messages.sent.connected_to(jobs._wake_to_check):
        api.ask()
        run(app)
    assert woken == [10]


def test_what_has_to_wait_wakes_the_task_when_it_is_due(
    api: Api, app: Flask, clock: Clock, fake: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[int] = []
    monkeypatch.setattr(jobs.send_messages, "schedule", lambda delay: woken.append(round(delay)))
    for provider in ("smsaero", "smsc"):
        fake.fail(provider, "refuse")
    with messages.postponed.connected_to(jobs._wake_later):
        api.ask()
        run(app)
    assert woken == [30]


@pytest.mark.parametrize(
    ("answer", "error", "reason"),
    [
        (httpx.Response(200, json={"result": "no credits"}), NoAccess, "no_money"),
        (
            httpx.Response(200, json={"success": False, "data": None, "message": "Not enough money"}),
            NoAccess,
            "no_money",
        ),
        (httpx.Response(200, json={"result": "reject", "reason": "stop word"}), NotTaken, "rejected"),
        (httpx.Response(200, json={"success": False, "data": {"number": ["incorrect"]}}), NotTaken, "refused"),
        (httpx.Response(200, json={"success": True, "data": {"id": 7, "status": 6}}), NotTaken, "rejected"),
        (httpx.Response(401), NoAccess, "wrong_key"),
        (httpx.Response(404, text="no"), NotTaken, "http_404"),
        (httpx.Response(302, headers={"Location": "http://elsewhere/"}), NotTaken, "http_302"),
        (httpx.Response(502), Unclear, "http_502"),
        (httpx.Response(200, json=[]), Unclear, "garbled"),
        (httpx.Response(200, json={}), Unclear, "garbled"),
        (httpx.Response(200, json={"success": True, "data": None}), Unclear, "no_id"),
        (httpx.Response(200, json={"success": True, "data": {"id": None}}), Unclear, "no_id"),
        (httpx.ConnectError("refused"), NotTaken, "unreachable"),
        (httpx.ConnectTimeout("slow"), NotTaken, "unreachable"),
        (httpx.ReadTimeout("slow"), Unclear, "timeout"),
        (httpx.ReadError("reset"), Unclear, "cut"),
    ],
)
def test_answers_of_smsaero(
    app: Flask, fake: FakeGateway, monkeypatch: pytest.MonkeyPatch, answer: Any, error: type[Exception], reason: str
) -> None:
    def handle(_request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer  # type: ignore[no-any-return]

    transport = httpx.MockTransport(handle)
    monkeypatch.setattr(http, "client", lambda **options: httpx.Client(transport=transport, **options))
    with pytest.raises(error, match=reason) as raised:
        choice.providers(app.extensions["settings"])[0].send("1", PHONE, "text")
    assert type(raised.value) is error


def test_providers_have_2_seconds_to_connect_and_8_to_answer_and_lead_nowhere_else() -> None:
    with http.client() as client:
        assert client.timeout == httpx.Timeout(8, connect=2)
        assert client.follow_redirects is False


@pytest.mark.parametrize(
    ("number", "error", "reason", "later"),
    [
        (1, NotTaken, "parameters", False),
        (2, NoAccess, "wrong_key", False),
        (3, NoAccess, "no_money", False),
        (4, NotTaken, "blocked", True),
        (6, NotTaken, "forbidden", False),
        (7, NotTaken, "number", False),
        (8, NotTaken, "undeliverable", False),
        (9, NotTaken, "repeated", True),
        ("?", NotTaken, "refused", False),
    ],
)
def test_errors_of_smsc(
    app: Flask,
    fake: FakeGateway,
    monkeypatch: pytest.MonkeyPatch,
    number: Any,
    error: type[NotTaken],
    reason: str,
    later: bool,
) -> None:
    answer = httpx.Response(200, json={"error": "no", "error_code": number})
    transport = httpx.MockTransport(lambda _request: answer)
    monkeypatch.setattr(http, "client", lambda **options: httpx.Client(transport=transport, **options))
    with pytest.raises(error, match=reason) as raised:
        choice.providers(app.extensions["settings"])[1].send("1", PHONE, "text")
    assert raised.value.later is later


@pytest.mark.parametrize(
    ("number", "state"),
    [
        (-3, "failed"),
        (-1, "sent"),
        (0, "sent"),
        (1, "delivered"),
        (2, "delivered"),
        (3, "failed"),
        (20, "failed"),
        (25, "failed"),
    ],
)
def test_states_of_smsc(
    app: Flask, fake: FakeGateway, monkeypatch: pytest.MonkeyPatch, number: int, state: str
) -> None:
    transport = httpx.MockTransport(lambda _request: httpx.Response(200, json={"status": number}))
    monkeypatch.setattr(http, "client", lambda **options: httpx.Client(transport=transport, **options))
    smsc = choice.providers(app.extensions["settings"])[1]
    assert smsc.status("1", "1", PHONE).state == state
    found = smsc.find("1", PHONE, "text", [])
    assert (found and found.state) == (None if number == -3 else state)


def test_smsaero_is_asked_at_its_next_host_where_one_cannot_be_reached(
    app: Flask, fake: FakeGateway, change_settings: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    change_settings(smsaero_urls=("http://one/v2/", "http://two/v2/"))
    hosts, bodies = [], []

    def handle(request: httpx.Request) -> httpx.Response:
        hosts.append(request.url.host)
        if request.url.host == "one":
            raise httpx.ConnectError("refused")
        bodies.append(request.read().decode())
        assert request.headers["Authorization"].startswith("Basic ")
        return httpx.Response(200, json={"success": True, "data": {"id": 5, "status": 0, "cost": "2.2"}})

    transport = httpx.MockTransport(handle)
    monkeypatch.setattr(http, "client", lambda **options: httpx.Client(transport=transport, **options))
    receipt = choice.providers(app.extensions["settings"])[0].send("1", PHONE, "текст")
    assert hosts == ["one", "two"]
    assert (receipt.state, receipt.reference, receipt.cost) == ("sent", "5", Decimal("2.2"))
    assert '"number":"79991234567"' in bodies[0].replace(" ", "")
