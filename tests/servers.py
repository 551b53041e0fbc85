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
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Server:
    """A server that answers."""

    url: str
    folder: Path


def wait_for(what: str, check: "object", seconds: float = 30) -> None:
    """Wait until a check holds; the bound only ends what would never come."""
    end, pause = time.monotonic() + seconds, threading.Event()
    while not check():  # type: ignore[operator]
        if time.monotonic() > end:
            raise RuntimeError(f"{what} did not come")
        pause.wait(0.05)


@contextmanager
def serving(folder: Path, **settings: str) -> Iterator[Server]:
    """Prepare the database, start the server on a free port, end it with its whole process group."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    plain = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "SITE_URL", "HOST"}}
    # The hour at which codes end is no hour for a test.
    plain |= {"INSTANCE_PATH": str(folder), "PORT": str(port), "CODE_RESET_HOURS": "720"}
    environment = plain | settings
    flask, gunicorn = (str(Path(sys.executable).with_name(name)) for name in ("flask", "gunicorn"))
    subprocess.run(
        [flask, "ops", "prepare"], check=True, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, timeout=60
    )
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "--", gunicorn, "-c", "gunicorn.conf.py"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"
    try:

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
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait(10)
