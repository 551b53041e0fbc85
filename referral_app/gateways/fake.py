"""A fake of both providers over HTTP, for tests and for trying out: it takes SMS, fails on demand and counts.

`POST /faults {"provider": "smsaero", "fault": "500", "times": 3}` lets the next three sends fail; `GET /received` tells
how many SMS each phone got, `GET /messages` all of them.
"""

import json
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

FAULTS = (
    "refuse",
    "500",
    "429",
    "hang_before",
    "hang_after",
    "cut",
    "wrong_json",
    "empty",
    "no_id",
    "no_money",
    "wrong_key",
    "late",
    "repeated",
)
_AFTER_TAKING = {"hang_after", "cut", "wrong_json", "empty", "no_id"}
PRICE = "2.20"
WRONG_KEY = "Your request was made with invalid credentials."


@dataclass
class Sms:
    """One SMS that was taken. `state` is delivered at once, or queued with the fault `late`."""

    id: int
    provider: str
    phone: str
    text: str
    key: str | None
    state: str = "delivered"


@dataclass
class FakeGateway:
    """The WSGI app of both. `hang` and `cut` are what happens where a connection hangs or breaks."""

    hang: Callable[[], None] = lambda: time.sleep(60)
    cut: Callable[[], Response] | None = None
    messages: list[Sms] = field(default_factory=list)
    faults: dict[str, deque[str]] = field(default_factory=lambda: {"smsaero": deque(), "smsc": deque()})
    dead: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _urls: Map = field(
        default_factory=lambda: Map(
            [
                Rule("/v2/sms/<action>", endpoint="smsaero"),
                Rule("/v2/balance", endpoint="smsaero_balance"),
                Rule("/sys/<action>.php", endpoint="smsc"),
                Rule("/faults", endpoint="set_fault", methods=["POST"]),
                Rule("/received", endpoint="received"),
                Rule("/messages", endpoint="list_messages"),
            ]
        )
    )

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        """Answer a request."""
        request = Request(environ)
        adapter = self._urls.bind_to_environ(environ)
        try:
            endpoint, values = adapter.match()
            response = getattr(self, f"_{endpoint}")(request, **values)
        except HTTPException as error:
            response = error.get_response(environ)
        return response(environ, start_response)  # type: ignore[no-any-return]

    def fail(self, provider: str, fault: str, times: int = 1) -> None:
        """Let the next sends to a provider fail."""
        self.faults[provider].extend([fault] * times)

    def received(self) -> Counter[str]:
        """Return how many SMS each phone got."""
        with self._lock:
            return Counter(sms.phone for sms in self.messages)

    def deliver(self) -> None:
        """Let what came late arrive."""
        with self._lock:
            for sms in self.messages:
                sms.state = "delivered"

    def _set_fault(self, request: Request) -> Response:
        body = request.get_json()
        if body.get("provider") not in self.faults or body.get("fault") not in FAULTS:
            return _json({"providers": list(self.faults), "faults": FAULTS}, 422)
        self.fail(body["provider"], body["fault"], int(body.get("times", 1)))
        return _json({"waiting": {name: list(faults) for name, faults in self.faults.items()}})

    def _received(self, _request: Request) -> Response:
        return _json(dict(self.received()))

    def _list_messages(self, _request: Request) -> Response:
        return _json([vars(sms) for sms in self.messages])

    def _take(self, provider: str, phone: str, text: str, key: str | None) -> tuple[Sms | None, str | None]:
        """Take an SMS, unless a fault comes before; return it and the fault."""
        with self._lock:
            waiting = self.faults[provider]
            fault = waiting.popleft() if waiting else None
            if fault is not None and fault not in _AFTER_TAKING | {"late"}:
                return None, fault
            sms = Sms(len(self.messages) + 1, provider, f"+{phone.lstrip('+')}", text, key)
            sms.state = "queued" if fault == "late" else "delivered"
            self.messages.append(sms)
        return sms, fault

    def _broken(self, fault: str) -> Response | None:
        """Return what a fault looks like that both providers share."""
        if fault.startswith("hang"):
            self.hang()
            return Response(status=504)
        if fault == "cut":
            return self.cut() if self.cut else _cut()
        plain = {
            "500": Response("error", 500),
            "429": Response("slow down", 429),
            "wrong_json": Response('{"success": tru', mimetype="application/json"),
            "empty": Response("", 200),
        }
        return plain.get(fault)

    def _smsaero_balance(self, _request: Request) -> Response:
        return _aero({"balance": 1389.26})

    def _smsaero(self, request: Request, action: str) -> Response:
        if request.authorization is None or request.authorization.password == "wrong":
            return _json({"success": False, "data": None, "message": WRONG_KEY}, 401)
        if "smsaero" in self.dead:
            return Response("dead", 503)
        body = request.get_json()
        action = action.removeprefix("test")
        if action == "send":
            return self._smsaero_send(body)
        with self._lock:
            found = [sms for sms in self.messages if sms.provider == "smsaero"]
        if action == "list":
            rows = [_aero_row(sms) for sms in found if sms.phone == f"+{body['number']}"]
            return _aero({str(number): row for number, row in enumerate(rows)} | {"totalCount": str(len(rows))})
        for sms in found:
            if sms.id == body["id"]:
                return _aero(_aero_row(sms))
        return _json({"success": False, "data": None, "message": "Not found."})

    def _smsaero_send(self, body: dict[str, Any]) -> Response:
        sms, fault = self._take("smsaero", str(body["number"]), body["text"], None)
        if fault and (broken := self._broken(fault)):
            return broken
        if fault == "no_id":
            return _aero({"status": 0})
        if fault == "no_money":
            return _json({"success": False, "data": None, "message": "Not enough money"})
        if fault == "wrong_key":
            return _json({"success": False, "data": None, "message": WRONG_KEY})
        if sms is None:
            return _json({"success": False, "data": {"number": ["incorrect"]}, "message": "Validation error."})
        return _aero({**_aero_row(sms), "status": 0, "extendStatus": "queue"})

    def _smsc(self, request: Request, action: str) -> Response:
        form = request.form
        if form.get("psw", form.get("apikey")) == "wrong":
            return _smsc_error(2, "authorise error")
        if "smsc" in self.dead:
            return Response("dead", 503)
        if action == "balance":
            return _json({"balance": "100.50"})
        if action == "status":
            with self._lock:
                found = [sms for sms in self.messages if sms.provider == "smsc" and sms.key == form["id"]]
            return _json({"status": {"delivered": 1, "queued": -1}[found[-1].state] if found else -3})
        sms, fault = self._take("smsc", form["phones"], form["mes"], form.get("id"))
        if fault and (broken := self._broken(fault)):
            return broken
        if fault == "no_id":
            return _json({"cnt": 1})
        if sms is None:
            number = {"no_money": 3, "wrong_key": 2, "repeated": 9}.get(fault or "", 6)
            return _smsc_error(number, "message is denied")
        return _json({"id": form["id"], "cnt": 1, "cost": PRICE})


def _aero_row(sms: Sms) -> dict[str, Any]:
    return {
        "id": sms.id,
        "from": "SMS Aero",
        "number": sms.phone.lstrip("+"),
        "text": sms.text,
        "status": 1 if sms.state == "delivered" else 0,
        "extendStatus": "delivery" if sms.state == "delivered" else "queue",
        "channel": "FREE SIGN",
        "cost": PRICE,
        "dateCreate": 0,
        "dateSend": 0,
    }


def _aero(data: Any) -> Response:
    return _json({"success": True, "data": data, "message": None})


def _smsc_error(number: int, text: str) -> Response:
    return _json({"error": text, "error_code": number})


def _json(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value), status, mimetype="application/json")


def _cut() -> Response:
    """Return an answer that ends before it is whole."""
    response = Response('{"success": true, ')
    response.headers["Content-Length"] = "1000"
    return response
