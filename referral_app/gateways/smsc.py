"""SMSC: forms in, JSON out (`fmt=3`); errors and states are numbers."""

from collections.abc import Collection
from decimal import Decimal
from typing import Any, Literal

from ..config import Settings
from . import http
from .sms import NoAccess, NotTaken, Receipt, Unclear

_STATES: dict[int, Literal["sent", "delivered", "failed"]] = {
    -1: "sent",  # waiting
    0: "sent",  # handed over
    1: "delivered",
    2: "delivered",  # read
    3: "failed",  # expired
    20: "failed",
    22: "failed",
    23: "failed",
    24: "failed",
    25: "failed",
}
_NOT_FOUND = -3
_REFUSALS = {
    1: "parameters",
    4: "blocked",
    5: "date",
    6: "forbidden",
    7: "number",
    8: "undeliverable",
    9: "repeated",
}
_LATER = {4, 9}  # our address is blocked for a while; the same text again within a minute
_NO_ACCESS = {2: "wrong_key", 3: "no_money"}


class SmscGateway:
    """Sends by `send.php` under our own id, by which it can be asked for."""

    name = "smsc"

    def __init__(self, settings: Settings) -> None:
        self._url = settings.smsc_url
        self._sender = settings.smsc_sender
        secret = (
            {"apikey": settings.smsc_api_key}
            if settings.smsc_api_key
            else {"login": settings.smsc_login, "psw": settings.smsc_password}
        )
        self._always = {**secret, "fmt": "3", "charset": "utf-8"}
        self._http = http.client()

    def send(self, key: str, phone: str, text: str) -> Receipt:
        """Hand one SMS over; the answer tells its cost."""
        form = {"phones": phone, "mes": text, "id": key, "cost": "2"}
        if self._sender:
            form["sender"] = self._sender
        answer = self._ask("send.php", form)
        if not answer.get("id"):
            raise Unclear("no_id")
        return Receipt("sent", str(answer["id"])[:64], http.roubles(answer["cost"]) if "cost" in answer else None)

    def find(self, key: str, phone: str, text: str, others: Collection[str]) -> Receipt | None:
        """Ask by our own id."""
        number = self._status(key, phone)
        return None if number == _NOT_FOUND else Receipt(_STATES.get(number, "sent"), key)

    def status(self, reference: str, key: str, phone: str) -> Receipt:
        """Ask by the id, which is ours."""
        number = self._status(reference, phone)
        return Receipt("failed" if number == _NOT_FOUND else _STATES.get(number, "sent"), reference)

    def balance(self) -> Decimal | None:
        """Return the money left."""
        return http.roubles(self._ask("balance.php", {}).get("balance"))

    def _status(self, reference: str, phone: str) -> int:
        answer = self._ask("status.php", {"phone": phone, "id": reference})
        try:
            return int(answer["status"])
        except (KeyError, TypeError, ValueError) as error:
            raise Unclear("garbled") from error

    def _ask(self, path: str, form: dict[str, str]) -> dict[str, Any]:
        answer = http.ask(self._http, [f"{self._url}{path}"], data={**self._always, **form})
        if "error_code" not in answer and "error" not in answer:
            return answer
        try:
            number = int(answer.get("error_code", 0))
        except (TypeError, ValueError):
            number = 0
        if number in _NO_ACCESS:
            raise NoAccess(_NO_ACCESS[number])
        raise NotTaken(_REFUSALS.get(number, "refused"), later=number in _LATER)
