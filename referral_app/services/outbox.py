"""The outbox: takes messages that are due, hands them to the providers in their order, settles their rows.

The row is the truth: what a wake-up misses, the sweep finds. An attempt is written before its provider is asked, so
that after a kill, or a time-out, the provider is asked what became of it before anything goes again.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import select, update

from .. import clock
from ..config import settings
from ..db import transaction
from ..gateways import choice
from ..gateways.sms import GatewayError, NoAccess, NotTaken, Receipt, SmsGateway, Unclear
from ..models import Attempt, Message
from . import batches, limits, messages
from .batches import SLOW, Taken

log = logging.getLogger(__name__)
# After the first attempt, the second, …; each goes to the next provider.
PAUSES = (timedelta(0), timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10))
FIRST_CHECK = timedelta(seconds=10)


class Result(NamedTuple):
    """What came of a message: of its attempt, and what its row is to say."""

    message: Taken
    outcome: str
    reason: str | None
    facts: dict[str, Any]


def run_once() -> int:
    """Send what is due; return how many attempts were made."""
    made = 0
    while batch := batches.take_due(clock.now()):
        made += _send_all(batch)
    return made


def _send_all(batch: list[Taken]) -> int:
    """Send a batch and settle it at once: what a kill leaves unsettled, its provider is asked for.

    Where a provider is slow the rest is given back, for whoever is free.
    """
    began, results = clock.now(), []
    for number, message in enumerate(batch, 1):
        if result := send(message):
            results.append(result)
        if clock.now() - began > SLOW and number < len(batch):
            settle(results)
            batches.give_back(batch[number:])
            return number
    settle(results)
    return len(batch)


def send(message: Taken) -> Result | None:
    """Hand one message to its provider, outside any transaction; return what is to be settled."""
    now = clock.now()
    if message.taken_until <= now:
        return None  # the ones before it took so long that it is anybody's again
    is_late = message.expires_at is not None and message.expires_at <= now
    if message.text is None or message.phone is None or (is_late and not message.is_left):
        return Result(message, "dropped", None, {"state": "expired"})
    gateway = choice.by_name(settings(), message.provider)
    try:
        if gateway is None:
            raise NotTaken("provider_gone")
        receipt = _hand_over(gateway, message, message.phone, message.text)
    except GatewayError as error:
        return _refused(message, error)
    except Exception:
        # One message that nobody expected must not hold up those behind it.
        log.exception("handing an SMS over failed", extra={"facts": {"message": message.id}})
        return _refused(message, Unclear("error"))
    sent_at = clock.now()
    facts = {
        "state": receipt.state,
        "provider_ref": receipt.reference,
        "cost": receipt.cost,
        "sent_at": sent_at,
        "check_at": sent_at + FIRST_CHECK if receipt.state == "sent" else None,
        "error": None,
    }
    return Result(message, "taken", None, facts)


def _hand_over(gateway: SmsGateway, message: Taken, phone: str, text: str) -> Receipt:
    key = str(message.id)
    if not message.is_left:
        try:
            return gateway.send(key, phone, text)
        except Unclear as unclear:
            log.info("it is unclear whether an SMS was taken", extra={"facts": _facts(message, unclear)})
    # By a time-out, or because whoever sent it is gone, nobody knows: the provider does.
    with transaction() as db:  # ended before the provider is asked
        others = messages.list_references(db, message.challenge_id, message.id)
    try:
        found = gateway.find(key, phone, text, others)
    except GatewayError as error:
        raise Unclear(error.reason) from error
    if found is None:
        raise NotTaken("not_taken")
    return found


def _refused(message: Taken, error: GatewayError) -> Result:
    log.warning("an SMS was not taken", extra={"facts": _facts(message, error)})
    if isinstance(error, NoAccess):
        _raise_alarm(message.provider, error.reason)
    if isinstance(error, Unclear) and message.kind != messages.CODE:
        return Result(message, "unclear", error.reason, {"state": "unknown", "error": error.reason})
    outcome = "unclear" if isinstance(error, Unclear) else "not_taken"
    if message.attempts > len(PAUSES):
        return Result(message, outcome, error.reason, {"state": "failed", "error": error.reason})
    pause = PAUSES[message.attempts - 1]
    if isinstance(error, NotTaken) and error.later and len(settings().sms_providers) == 1:
        pause = max(pause, PAUSES[1])
    again = {"state": "queued", "due_at": clock.now() + pause, "error": error.reason}
    return Result(message, outcome, error.reason, again)


def _raise_alarm(provider: str, reason: str) -> None:
    """Count that a provider takes nothing, and say so once an hour."""
    with transaction() as db:
        times = limits.add(db, f"sms-{reason}", provider, limits.HOUR, clock.now())
    if times == 1:
        log.error("a provider of SMS takes nothing", extra={"facts": {"provider": provider, "reason": reason}})


def settle(results: list[Result]) -> int:
    """Write down what came of messages that this process still holds, and of their attempts; return how many."""
    now, settled, sent = clock.now(), 0, False
    costs: list[tuple[str, Decimal, datetime]] = []
    lost: list[int] = []
    gone: Sequence[int] = ()
    if not results:
        return 0
    with transaction() as db:
        for message, outcome, reason, facts in sorted(results, key=lambda result: result.message.id):
            # A slow holder whose time has passed: somebody else has the row by now, and this changes none.
            changed = db.connection().execute(
                update(Message)
                .where(Message.id == message.id, Message.taken_until == message.taken_until)
                .values(taken_until=None, provider=message.provider, **facts)
            )
            if changed.rowcount != 1:
                lost.append(message.id)
                continue
            db.execute(
                update(Attempt)
                .where(Attempt.id == message.attempt_id)
                .values(outcome=outcome, reason=reason, ended_at=now)
            )
            settled, sent = settled + 1, sent or facts["state"] == "sent"
            if facts.get("cost"):
                costs.append((message.text or "", facts["cost"], message.created_at))
        messages.correct_costs(db, costs)
        if lost:  # to another holder, or by an erasure
            gone = db.scalars(select(Message.id).where(Message.id.in_(lost), Message.phone.is_(None))).all()
    for number in gone:
        choice.console(settings()).withdraw(str(number))
    if sent:
        messages.sent.send()
    for pause in {facts["due_at"] - now for _message, _outcome, _reason, facts in results if "due_at" in facts}:
        messages.postponed.send(max(0.0, pause.total_seconds()))
    return settled


def _facts(message: Taken, error: GatewayError) -> dict[str, object]:
    return {"message": message.id, "provider": message.provider, "reason": error.reason}
