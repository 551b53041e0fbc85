"""A Redis for one test."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import redis

from .servers import wait_for


class Redis(NamedTuple):
    """A Redis that answers."""

    url: str
    pid: int


@contextmanager
def serving_redis(folder: Path) -> Iterator["Redis"]:
    """Start a Redis that listens on a socket alone."""
    program, socket = shutil.which("redis-server"), folder / "redis.sock"
    if program is None:
        raise RuntimeError("redis-server is missing: install Redis")
    words = [program, "--port", "0", "--unixsocket", str(socket), "--save", "", "--appendonly", "no"]
    with (folder / "redis.log").open("wb") as log:
        server = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", *words],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        with redis.Redis(unix_socket_path=str(socket), socket_timeout=5) as client:

            def answers() -> bool:
                if server.poll() is not None:
                    raise RuntimeError("Redis did not start: " + (folder / "redis.log").read_text()[-2000:])
                try:
                    return bool(client.ping())
                except (redis.ConnectionError, redis.TimeoutError):
                    return False

            wait_for("Redis", answers)
        yield Redis(f"unix://{socket}", server.pid)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait(10)
