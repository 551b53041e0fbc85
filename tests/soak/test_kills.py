"""SIGKILL at any moment: what was answered 2xx is there, and no SMS is lost."""

import http.client
import json
import os
import re
import signal
import sqlite3
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.servers import Server, serving, wait_for

OPEN = {
    "LIMIT_ADDRESS_REQUESTS": "1000000/3600",
    "LIMIT_BLOCK_SENDS": "1000000/3600",
    "SMS_PER_HOUR": "1000000",
    "SMS_PER_DAY": "1000000",
    "SMS_BUDGET_PER_DAY": "100000000",
}


def call(server: Server, path: str, body: Any, token: str | None = None) -> Any:
    """Call the API; return the answer, or None where the connection broke."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(f"{server.url}/api/v1{path}", json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)
    except urllib.error.HTTPError:
        raise
    except (OSError, http.client.HTTPException, json.JSONDecodeError):
        return None


def workers(server: Server) -> list[int]:
    """Return the process ids of the workers: children of the one that listens."""
    port = server.url.rsplit(":", 1)[1]
    every = subprocess.run(["pgrep", "-f", "gunicorn -c gunicorn.conf.py"], check=False, capture_output=True, text=True)
    ours = []
    for pid in map(int, every.stdout.split()):
        try:
            environment = Path(f"/proc/{pid}/environ").read_bytes()
            parent = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
            is_child = "gunicorn" in Path(f"/proc/{parent}/cmdline").read_text()
        except OSError:
            continue
        if f"PORT={port}".encode() in environment and is_child:
            ours.append(pid)
    return ours


def rows(server: Server, statement: str) -> list[Any]:
    with closing(sqlite3.connect(server.folder / "app.db", timeout=30)) as connection:
        return connection.execute(statement).fetchall()


class Killer(threading.Thread):
    """Kills a worker again and again: after a while, or at the very moment when an SMS was handed over."""

    def __init__(self, server: Server, times: int, *, at_an_sms: bool) -> None:
        super().__init__(daemon=True)
        self.server, self.times, self.at_an_sms, self.killed = server, times, at_an_sms, 0

    def run(self) -> None:
        log = self.server.folder / "log"
        while self.killed < self.times:
            time.sleep(1.5)
            pids = workers(self.server)[:1]
            size = log.stat().st_size
            while self.at_an_sms and b"--- SMS ---" not in log.read_bytes()[size:]:
                time.sleep(0.0005)
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
                self.killed += 1


def test_500_messages_and_20_kills_of_the_process_that_sends(tmp_path: Path) -> None:
    with serving(tmp_path, SMS_SIMULATED_DELAY="0.2", **OPEN) as server:
        killer = Killer(server, 20, at_an_sms=True)
        killer.start()
        asked: list[str] = []
        number = 0
        while len(asked) < 500 or killer.is_alive():
            number += 1
            phone = f"+7999{number:07}"
            if call(server, "/auth/code", {"phone": phone}):
                asked.append(phone)
            time.sleep(0.03)
        wait_for(
            "the sweep", lambda: not rows(server, "SELECT 1 FROM messages WHERE state IN ('queued', 'sending')"), 240
        )
        kept = Counter(dict(rows(server, "SELECT phone, count(*) FROM messages GROUP BY phone")))
        states = dict(rows(server, "SELECT state, count(*) FROM messages GROUP BY state"))
        retried = rows(server, "SELECT count(*) FROM messages WHERE attempts > 1")[0][0]
        # The file is the SMS; it shows on the console after that, and a kill may come in between.
        files = Counter(
            file.read_text().splitlines()[0].removeprefix("To: ") for file in (tmp_path / "sms").glob("*.txt")
        )
        shown = Counter(re.findall(r"^To: (\+\d+)$", (tmp_path / "log").read_text(), re.M))
    lost = [phone for phone in asked if not files[phone]]
    twice = [phone for phone in shown if shown[phone] > 1]
    print(f"\n{len(asked)} answered 202, {killer.killed} kills, {states}, {retried} taken again")
    print(f"{len(twice)} sent twice, {len(lost)} lost")
    assert lost == []
    assert all(kept[phone] == 1 for phone in asked)
    assert set(states) == {"delivered"}
    # Twice only where the kill came between the gateway's answer and our commit.
    assert len(twice) <= min(retried, killer.killed)


def test_what_was_answered_2xx_is_there_after_kills_under_load(tmp_path: Path) -> None:
    with serving(tmp_path, WEB_CONCURRENCY="2", SMS_SIMULATED_DELAY="0", **OPEN) as server:
        first = call(server, "/auth/code", {"phone": "+79980000000"})
        token = call(server, "/auth/token", {"phone": "+79980000000", "code": first["code"]})["access_token"]
        request = urllib.request.Request(
            f"{server.url}/api/v1/profiles/me", headers={"Authorization": f"Bearer {token}"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            invite_code = json.load(answer)["invite_code"]
        killer = Killer(server, 15, at_an_sms=False)
        killer.start()
        created: list[str] = []
        invited: list[str] = []

        def person(number: int) -> None:
            phone = f"+7999{number:07}"
            asked = call(server, "/auth/code", {"phone": phone})
            tokens = asked and call(server, "/auth/token", {"phone": phone, "code": asked["code"]})
            if tokens:
                created.append(phone)
                if call(server, "/profiles/me/inviter", {"invite_code": invite_code}, tokens["access_token"]):
                    invited.append(phone)

        with ThreadPoolExecutor(6) as pool:
            number = 0
            while killer.is_alive():
                list(pool.map(person, range(number, number + 60)))
                number += 60
        users = dict(rows(server, "SELECT phone, inviter_id FROM users"))
        count, real = rows(
            server,
            "SELECT invitees_count, (SELECT count(*) FROM users WHERE inviter_id IS NOT NULL) FROM users"
            " WHERE phone = '+79980000000'",
        )[0]
        integrity = rows(server, "PRAGMA integrity_check")[0][0]
    print(f"\n{number} people, {killer.killed} kills: {len(created)} accounts and {len(invited)} invitations were")
    print(f"answered 2xx, all are there; integrity {integrity}")
    assert [phone for phone in created if phone not in users] == []
    assert [phone for phone in invited if not users[phone]] == []
    assert count == real
    assert integrity == "ok"
