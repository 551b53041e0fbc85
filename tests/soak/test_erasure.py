"""Erasure under load: after each 204 no byte of the phone is in the files."""

import random
import socket
import threading
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from referral_app import create_app, schema
from referral_app.config import Settings
from referral_app.db import db
from referral_app.services import erasure, users
from tests.conftest import Clock
from tests.factories import World
from tests.servers import Server, serving
from tests.soak.test_kills import OPEN, call

USERS, DELETED, READERS = 120, 40, 4


def sign_up(server: Server, number: int) -> tuple[str, str]:
    phone = f"+7999{number * 7919 % 10_000_000:07}"
    code = call(server, "/auth/code", {"phone": phone})["code"]
    return phone, call(server, "/auth/token", {"phone": phone, "code": code})["access_token"]


def ask(server: Server, method: str, path: str, token: str, body: bytes | None = None) -> Any:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{server.url}/api/v1{path}", body, headers, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.status


def found(folder: Path, texts: list[str]) -> list[str]:
    """Return the files of the site that hold one of the texts; `log` is the console, which prints SMS in a trial."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "log"]
    held = []
    for path in files:
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            continue
        held += [f"{text} in {path.name}" for text in texts if text.encode() in data]
    return held


def test_each_deleted_phone_is_nowhere_while_others_read_and_write(tmp_path: Path) -> None:
    with serving(tmp_path, **OPEN, SMS_SIMULATED_DELAY="0", LIMIT_PHONE_SENDS="1000/3600") as server:
        with ThreadPoolExecutor(4) as pool:
            users = list(pool.map(lambda number: sign_up(server, number), range(1, USERS + 1)))
        for n, (_, token) in enumerate(users):
            ask(server, "PATCH", "/profiles/me", token, f'{{"first_name": "Name{n}x", "last_name": "L{n}y"}}'.encode())
        stop, done = threading.Event(), [0]

        def read_on(number: int) -> None:
            while not stop.is_set():
                _phone, token = users[DELETED + number]
                ask(server, "GET", "/profiles/me/export", token)
                ask(server, "PATCH", "/profiles/me", token, b'{"first_name": "Again"}')
                done[0] += 1

        readers = [threading.Thread(target=read_on, args=(number,)) for number in range(READERS)]
        for reader in readers:
            reader.start()
        try:
            for n, (phone, token) in enumerate(users[:DELETED]):
                assert found(tmp_path, [phone])
                assert ask(server, "DELETE", "/profiles/me", token) == 204
                assert found(tmp_path, [phone, phone[1:], f"Name{n}x", f"L{n}y"]) == []
        finally:
            stop.set()
            for reader in readers:
                reader.join(60)
        for phone, _ in users[DELETED:]:
            assert found(tmp_path, [phone])
        print(f"{DELETED} of {USERS} users deleted beside {done[0]} reads and writes; no byte of them in the files")


def test_of_two_thousand_that_were_edited_no_copy_stays(make_settings: Callable[..., Settings], clock: Clock) -> None:
    chosen = make_settings()
    app = create_app(chosen)
    world, pick = World(app), random.Random(5)
    with app.app_context():
        schema.prepare(chosen.instance_path)
        people = [world.user() for _ in range(2000)]
        pick.shuffle(people)
        for one in people[:1500]:
            users.edit(one.id, first_name="Имя" * pick.randint(1, 30), last_name=f"L{one.phone}" * pick.randint(1, 7))
        pick.shuffle(people)
        for one in people[:400]:
            erasure.erase(one.id)
            stored = b"".join(path.read_bytes() for path in chosen.instance_path.glob("app.db*"))
            assert one.phone.encode() not in stored
        db.engine.dispose()
    print("400 of 2000 users deleted, 1500 of them edited before: no copy of their phones in the files")


def test_a_body_that_comes_slowly_holds_up_no_erasure(tmp_path: Path) -> None:
    with serving(tmp_path, **OPEN, SMS_SIMULATED_DELAY="0") as server:
        (_, slow), (phone, token) = sign_up(server, 1), sign_up(server, 2)
        host, port = server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=60) as line:
            head = (
                f"PATCH /api/v1/profiles/me HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {slow}\r\n"
                "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{"
            )
            line.sendall(head.encode())
            time.sleep(1)
            began = time.monotonic()
            assert ask(server, "DELETE", "/profiles/me", token) == 204
            seconds = time.monotonic() - began
            assert found(tmp_path, [phone]) == []
            line.sendall(b"}")
            assert line.recv(20).startswith(b"HTTP/1.1 200")
        print(f"deleted within {seconds:.2f} s beside a request whose body had not come")
        assert seconds < 1
