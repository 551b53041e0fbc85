"""What tests are made of: users, the API and a browser, asked in process."""

import re
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, select, update

from referral_app import clock, identity, invite_code
from referral_app.db import db, transaction
from referral_app.models import Challenge, Counter, User
from referral_app.services import limits, sessions
from referral_app.services.sessions import Device

PHONE = "+79991234567"
_numbers = count(1_000_000)  # none that a test writes out
_codes = count(31**5)


@dataclass(frozen=True)
class Person:
    """A user of a test."""

    id: int
    phone: str
    invite_code: str


def new_code() -> str:
    """Return an invite code that no other row of the run has: of 10,000 random ones two are alike once in 18 runs."""
    number, code = next(_codes), ""
    for _ in range(invite_code.LENGTH):
        number, digit = divmod(number, len(invite_code.ALPHABET))
        code = invite_code.ALPHABET[digit] + code
    return code


def plain(html: str) -> str:
    """Return a page's text without its tags."""
    return re.sub(r"<[^>]*>", "", html)


def wrong(code: str) -> str:
    """Return a code of the same length that is not this one."""
    return f"{(int(code) + 1) % 10 ** len(code):0{len(code)}}"


class World:
    """Makes the rows that a test begins with, on the straight way."""

    def __init__(self, app: Flask) -> None:
        self.app = app

    def user(self, phone: str | None = None, inviter: Person | None = None, **facts: Any) -> Person:
        """Make a user."""
        number = phone or f"+7999{next(_numbers):07}"
        now = clock.now()
        with self.app.app_context(), transaction() as session:
            user = User(**{"phone": number, "invite_code": new_code(), "created_at": now} | facts)
            if inviter:
                user.inviter_id, user.invited_at = inviter.id, now
                session.execute(
                    update(User).where(User.id == inviter.id).values(invitees_count=User.invitees_count + 1)
                )
            session.add(user)
            session.flush()
            return Person(user.id, number, user.invite_code)

    def chain(self, length: int) -> tuple[Person, Person]:
        """Make a chain in which each has invited the next; return its first and its last."""
        first = self.user()
        with self.app.app_context(), transaction() as session:
            now = clock.now()
            ids = [first.id, *(10_000_000 + n for n in range(1, length))]
            rows: list[dict[str, Any]] = [
                {
                    "id": ids[n],
                    "phone": f"+7998{n:07}",
                    "invite_code": new_code(),
                    "inviter_id": ids[n - 1],
                    "invited_at": now,
                    "invitees_count": 1,
                    "created_at": now,
                }
                for n in range(1, length)
            ]
            session.execute(insert(User), rows)
        last = rows[-1]
        return first, Person(last["id"], last["phone"], last["invite_code"])

    def invitees(self, inviter: Person, number: int) -> None:
        """Make many invitees of one user."""
        with self.app.app_context(), transaction() as session:
            now = clock.now()
            rows = [
                {
                    "phone": f"+7997{n:07}",
                    "invite_code": new_code(),
                    "inviter_id": inviter.id,
                    "invited_at": now + timedelta(seconds=n),
                    "created_at": now,
                }
                for n in range(number)
            ]
            session.execute(insert(User), rows)
            session.execute(update(User).where(User.id == inviter.id).values(invitees_count=number))

    def tokens(self, person: Person) -> dict[str, Any]:
        """Open an API session for a user."""
        with self.app.app_context(), transaction() as session:
            opened = sessions.open_session(session, person.id, "api", Device("tests", "127.0.0.1"), clock.now())
        with self.app.app_context():
            return identity.tokens(opened)

    def count(self, name: str, n: int, days_ago: int = 0) -> None:
        """Let something have been counted n times on one day."""
        day = limits.window(clock.now() - timedelta(days=days_ago), limits.DAY)
        with self.app.app_context():
            key = limits._key(name, limits.DAY, "")
            with transaction() as session:
                session.merge(Counter(key=key, window_start=day, n=n))

    def counted(self, name: str, subject: str = "", seconds: int = limits.DAY) -> int:
        """Return how often something was counted in the running window."""
        with self.app.app_context():
            return limits.count(db.session(), name, subject, seconds, clock.now())

    def rows(self, statement: Any) -> list[Any]:
        """Return the rows of a statement."""
        with self.app.app_context():
            return list(db.session.execute(statement).all())

    def challenge(self) -> Challenge:
        """Return the newest challenge."""
        with self.app.app_context():
            found = db.session.scalars(select(Challenge).order_by(Challenge.created_at.desc())).first()
            assert found is not None
            db.session.expunge(found)
            return found


class Api:
    """The API, asked in process; called with a user's tokens it asks as that user."""

    def __init__(self, app: Flask, headers: dict[str, str] | None = None, address: str = "127.0.0.1") -> None:
        self.app = app
        self.headers = headers or {}
        self.address = address

    def __call__(self, person: Person) -> "Api":
        token = World(self.app).tokens(person)["access_token"]
        return Api(self.app, {"Authorization": f"Bearer {token}"}, self.address)

    def bearer(self, token: str, scheme: str = "Bearer") -> "Api":
        """Ask with this token."""
        return Api(self.app, {"Authorization": f"{scheme} {token}"}, self.address)

    def at(self, address: str) -> "Api":
        """Ask from another address."""
        return Api(self.app, self.headers, address)

    def open(self, method: str, path: str, **options: Any) -> Any:
        """Ask; a path without its beginning is one of /api/v1."""
        headers = self.headers | options.pop("headers", {})
        full = path if path.startswith("/api/") else f"/api/v1{path}"
        options = {"environ_base": {"REMOTE_ADDR": self.address}} | options
        return self.app.test_client(use_cookies=False).open(
            full, method=method, headers=headers, buffered=True, **options
        )

    def get(self, path: str, **options: Any) -> Any:
        """GET."""
        return self.open("GET", path, **options)

    def post(self, path: str, json: Any = None, **options: Any) -> Any:
        """POST a JSON body."""
        if json is not None:
            options["json"] = json
        return self.open("POST", path, **options)

    def ask(self, phone: str = PHONE, **facts: Any) -> Any:
        """Ask for a code."""
        return self.post("/auth/code", {"phone": phone, **facts})

    def exchange(self, code: str, phone: str = PHONE, **facts: Any) -> Any:
        """Exchange a code."""
        return self.post("/auth/token", {"phone": phone, "code": code, **facts})

    def sign_in(self, phone: str = PHONE) -> "Api":
        """Sign in by the whole way."""
        asked = self.ask(phone).json
        return self.bearer(self.exchange(asked["code"], phone).json["access_token"])


class Browser:
    """A browser without JavaScript, in process: it keeps cookies and says where it comes from."""

    def __init__(self, app: Flask, address: str = "127.0.0.1") -> None:
        self.app = app
        self.client: FlaskClient = app.test_client()
        self.client.environ_base["REMOTE_ADDR"] = address

    def get(self, path: str, **options: Any) -> Any:
        """GET a page."""
        return self.client.get(path, buffered=True, **options)

    def post(self, path: str, data: dict[str, str] | None = None, **options: Any) -> Any:
        """POST a form of this site."""
        headers = {"Sec-Fetch-Site": "same-origin"} | options.pop("headers", {})
        return self.client.post(path, data=data or {}, headers=headers, **options)

    def ask(self, phone: str = PHONE) -> str:
        """Ask for a code; return the one that the page shows."""
        self.post("/sign-in", {"phone": phone})
        shown = re.search(r'class="mono big">([0-9]+)<', self.get("/sign-in/code").text)
        assert shown is not None
        return shown[1]

    def sign_in(self, phone: str = PHONE) -> Any:
        """Sign in by the whole way; return the profile."""
        return self.post("/sign-in/code", {"code": self.ask(phone)}, follow_redirects=True)
