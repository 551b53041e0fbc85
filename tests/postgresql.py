"""A PostgreSQL cluster for one run of the tests."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from glob import glob
from pathlib import Path


def _program(name: str) -> str:
    found = sorted(glob(f"/usr/lib/postgresql/*/bin/{name}")) or [shutil.which(name) or ""]
    if not found[-1]:
        raise RuntimeError(f"{name} is missing: install PostgreSQL")
    return found[-1]


def _as_postgres() -> list[str]:
    """Return the words that run a program as another user where we are root: the server refuses to run as root."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]


@contextmanager
def cluster() -> Iterator[str]:
    """Start a cluster that listens on a socket alone; yield the folder of the socket."""
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    initdb = [_program("initdb"), "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
    subprocess.run(
        [*_as_postgres(), *initdb, "-D", str(folder / "data")],
        check=True,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        timeout=120,
    )
    options = ["listen_addresses=", "synchronous_commit=off", "full_page_writes=off", "lock_timeout=100s"]
    options += ["idle_in_transaction_session_timeout=120s", "max_connections=150"]
    words = [_program("postgres"), "-D", str(folder / "data"), "-k", str(folder), "-F"]
    words += [word for option in options for word in ("-c", option)]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            ["setpriv", "--pdeathsig", "QUIT", "--", *_as_postgres(), *words] if os.geteuid() == 0 else words,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait(folder, server)
        yield str(folder)
    finally:
        os.killpg(server.pid, signal.SIGQUIT)
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def _wait(folder: Path, server: "subprocess.Popen[bytes]") -> None:
    ready = [_program("pg_isready"), "-q", "-h", str(folder), "-U", "postgres"]
    end, pause = time.monotonic() + 90, threading.Event()
    while subprocess.run(ready, check=False, timeout=10).returncode:
        if server.poll() is not None or time.monotonic() > end:
            raise RuntimeError("PostgreSQL did not start: " + (folder / "log").read_text()[-2000:])
        pause.wait(0.05)
