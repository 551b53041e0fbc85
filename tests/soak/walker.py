"""Walks through the site, for the states of its screens."""

import json
import re
import sqlite3
import urllib.request
from contextlib import closing
from itertools import count
from typing import Any

from playwright.sync_api import Page

from tests.servers import Server

_numbers = count(1)


def new_phone() -> str:
    """Return a phone that nobody has."""
    return f"+7999{next(_numbers):07}"


class Walker:
    """Walks one page through the site, and moves the rows behind it where only time or bad luck would."""

    def __init__(self, page: Page, server: Server) -> None:
        self.page, self.server = page, server
        self.phone = new_phone()
        self.rows("DELETE FROM counters")  # each walk begins with full rations

    def rows(self, statement: str, *values: Any) -> list[Any]:
        """Execute a statement in the database of the server; return its rows."""
        with closing(sqlite3.connect(self.server.folder / "app.db", timeout=30)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    def call(self, path: str, body: Any = None, token: str | None = None, method: str | None = None) -> Any:
        """Call the API."""
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(f"{self.server.url}/api/v1{path}", data, headers, method=method)
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read() or b"null")

    def another(self) -> tuple[str, str]:
        """Sign somebody else in by the API; return the token and the invite code."""
        phone = new_phone()
        code = self.call("/auth/code", {"phone": phone})["code"]
        token = self.call("/auth/token", {"phone": phone, "code": code})["access_token"]
        return token, self.call("/profiles/me", token=token)["invite_code"]

    def send_phone(self, phone: str) -> None:
        """Fill in and send the phone form."""
        self.page.goto("/")
        self.page.fill("#phone", phone)
        self.submit("form[action='/sign-in'] .main")

    def submit(self, selector: str) -> None:
        """Press a button and wait for what it brings, swapped and settled."""
        with self.page.expect_response(lambda response: response.request.method == "POST"):
            self.page.click(selector)
        self.page.wait_for_selector(".htmx-request, .htmx-swapping, .htmx-settling", state="detached")
        self.page.wait_for_load_state("networkidle")

    def ask(self) -> str:
        """Walk to the code page; return the code."""
        self.send_phone(self.phone)
        self.page.wait_for_selector("#code")
        return self.page.locator(".flash .mono.big").inner_text()

    def send_code(self, code: str) -> None:
        """Fill in and send the code form."""
        self.page.fill("#code", code)
        self.submit("form[action='/sign-in/code'] .main")

    def sign_in(self) -> str:
        """Walk to the profile; return the invite code."""
        self.send_code(self.ask())
        self.page.wait_for_selector(".ticket-code")
        return re.sub(r"\s", "", self.page.locator(".ticket-code").inner_text())

    def invite(self, code: str) -> None:
        """Fill in and send the inviter's code."""
        self.page.fill("#invite_code", code)
        self.submit("form[action='/profile/inviter'] .button")
