"""SMSAero, API v2: HTTP Basic with e-mail and key; refusals come in the body, with HTTP 200 too."""

from collections.abc import Collection
from decimal import Decimal
from typing import Any, Literal

from ..config import Settings
from . import http
from .sms import NoAccess, NotTaken, Receipt, Unclear

_STATES: dict[int, Literal["sent", "delivered", "failed"]] = {
    0: "sent",  # queue
    1: "delivered",
    2: "failed",
    3: "sent",  # handed over
    4: "sent",  # waiting
    6: "failed",  # rejected
    8: "sent",  # in moderation
}
_NO_MONEY = ("not enough money", "no credits", "no money")
_WRONG_KEY = ("invalid credentials", "unauthorized", "authorization", "incorrect api key")


class SmsAeroGateway:
    """Sends by `sms/send`, in test mode by `sms/testsend`. It knows no key of ours: one is found by number and text."""

    name = "smsaero"

    def __init__(self, settings: Settings) -> None:
        self._urls = settings.smsaero_urls
        self._sign = settings.smsaero_sign
        self._prefix = "sms/test" if settings.smsaero_test else "sms/"
        self._http = http.client(auth=(settings.smsaero_email, settings.smsaero_api_key))

    def send(self, key: str, phone: str, text: str) -> Receipt:
        """Hand one SMS over."""
        data = self._ask(f"{self._prefix}send", number=phone.lstrip("+"), text=text, sign=self._sign)
        receipt = _receipt(data)
        if receipt.state == "failed":
            raise NotTaken("rejected")
        return receipt

    def find(self, key: str, phone: str, text: str, others: Collection[str]) -> Receipt | None:
        """Look for the number and the text among the newest messages."""
        number = phone.lstrip("+")
        data = self._ask(f"{self._prefix}list", number=number)
        rows = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
        for row in rows:
            if not isinstance(row, dict) or str(row.get("number")) != number or row.get("text") != text:
                continue
            if str(row.get("id")) not in others:
                return _receipt(row)
        return None

    def status(self, reference: str, key: str, phone: str) -> Receipt:
        """Ask by the provider's id."""
        return _receipt(self._ask(f"{self._prefix}status", id=int(reference) if reference.isdecimal() else reference))

    def balance(self) -> Decimal | None:
        """Return the money left."""
        data = self._ask("balance")
        return http.roubles(data.get("balance")) if isinstance(data, dict) else None

    def _ask(self, path: str, **body: Any) -> Any:
        answer = http.ask(self._http, [f"{url}{path}" for url in self._urls], json=body)
        said = " ".join(str(answer.get(name) or "") for name in ("message", "result", "reason")).casefold()
        if answer.get("success") is True:
            return answer.get("data")
        if any(words in said for words in _NO_MONEY):
            raise NoAccess("no_money")
        if any(words in said for words in _WRONG_KEY):
            raise NoAccess("wrong_key")
        if answer.get("success") is False or "result" in answer:
            raise NotTaken("rejected" if answer.get("result") == "reject" else "refused")
        raise Unclear("garbled")


def _receipt(data: Any) -> Receipt:
    row = data[0] if isinstance(data, list) and data else data
    if not isinstance(row, dict) or not row.get("id"):
        raise Unclear("no_id")
    try:
        state = _STATES[int(row.get("status", 0))]
    except (KeyError, TypeError, ValueError):
        state = "sent"
    return Receipt(state, str(row["id"])[:64], http.roubles(row["cost"]) if "cost" in row else None)
