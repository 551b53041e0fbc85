"""A real server for tests: Gunicorn as `make run` starts it, in a session of its own."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Server:
    """A server that answers."""

    url: str
    folder: Path


def wait_for(what: str, check: "object", seconds: float = 90) -> None:
    """Wait until a check holds; the bound only ends what would never come."""
    end, pause = time.monotonic() + seconds, threading.Event()
    while not check():  # type: ignore[operator]
        if time.monotonic() > end:
            raise RuntimeError(f"{what} did not come")
        pause.wait(0.05)


def environment(folder: Path, **settings: str) -> dict[str, str]:
    """Return the environment of a process of the site; its state is in the folder."""
    ours = {"DATABASE_URL", "SITE_URL", "HOST", "REDIS_URL"}
    plain = {name: value for name, value in os.environ.items() if name not in ours}
    # The hour at which codes end is no hour for a test.
    return plain | {"INSTANCE_PATH": str(folder), "CODE_RESET_HOURS": "720"} | settings


@contextmanager
def running(words: list[str], log: Path, env: dict[str, str]) -> "Iterator[subprocess.Popen[bytes]]":
    """Run a program of the site in a session of its own; end it with its whole process group."""
    with log.open("wb") as file:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "--", str(Path(sys.executable).with_name(words[0])), *words[1:]],
            cwd=ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


@contextmanager
def serving(folder: Path, **settings: str) -> Iterator[Server]:
    """Prepare the database, start the server on a free port, end it with its whole process group."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = environment(folder, PORT=str(port), **settings)
    flask = str(Path(sys.executable).with_name("flask"))
    subprocess.run([flask, "ops", "prepare"], check=True, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, timeout=120)
    url = f"http://127.0.0.1:{port}"
    with running(["gunicorn", "-c", "gunicorn.conf.py"], folder / "log", env) as server:

        def ready() -> bool:
            if server.poll() is not None:
                raise RuntimeError("the server did not start: " + (folder / "log").read_text()[-2000:])
            try:
                with urllib.request.urlopen(f"{url}/health/ready", timeout=10) as answer:
                    return bool(answer.status == 200)
            except OSError:
                return False

        wait_for("the server", ready)
        yield Server(url, folder)
