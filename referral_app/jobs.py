"""Jobs: Huey's tasks, which take ids and call services, and the schedule.

A lost wake-up loses nothing: the rows are the truth, and the sweep finds them within a minute.
"""

import contextlib
import fcntl
import logging
import signal
import threading
from collections.abc import Callable

from flask import Flask
from huey import Huey, crontab
from huey.consumer import Consumer
from huey.storage import MemoryStorage, SqliteStorage

from .config import settings
from .services import messages, nightly, outbox

log = logging.getLogger(__name__)
huey = Huey("referral", storage_class=MemoryStorage, immediate=False, results=False)
_app: Flask | None = None


def _in_app(task: Callable[..., None]) -> Callable[..., None]:
    def run(*args: int) -> None:
        if _app is None:
            raise RuntimeError("jobs.connect() was not called")
        with _app.app_context():
            task(*args)

    run.__name__ = task.__name__
    return run


@huey.task()
@_in_app
def send_message(message_id: int) -> None:
    """Send one message that was just queued."""
    outbox.run_once(message_id)


@huey.periodic_task(crontab(minute="*"))
@_in_app
def sweep() -> None:
    """Send what a lost wake-up or a killed process left."""
    outbox.run_once()


@huey.periodic_task(crontab(minute="*"))
@_in_app
def reset_codes() -> None:
    """End live challenges when CODE_RESET_HOURS are over."""
    nightly.reset_codes()


@huey.periodic_task(crontab(minute="17"))
@_in_app
def drop_old_counters() -> None:
    """Keep the table of counters small."""
    nightly.drop_old_counters()


def connect(app: Flask) -> None:
    """Let this process put tasks into the queue: a file beside the database, shared by the web processes."""
    global _app  # noqa: PLW0603  Huey's tasks are global, so is the app that they run in
    _app = app
    huey.storage_class = SqliteStorage
    huey.storage_kwargs = {"filename": str(app.extensions["settings"].instance_path / "jobs.db"), "fsync": True}
    huey.storage = huey.create_storage()
    messages.queued.connect(_wake)


def _wake(message_id: int) -> None:
    delay = settings().sms_simulated_delay.total_seconds()
    try:
        # The row is due to the microsecond: a little later it surely is.
        send_message.schedule(args=(message_id,), delay=delay + 0.01) if delay else send_message(message_id)
    except Exception:
        log.exception("the queue took no task; the sweep will find the row")


class _QuietConsumer(Consumer):
    """A consumer beside a web server, which has the signals."""

    def _set_signal_handlers(self) -> None:
        pass


class ConsumerThread:
    """The consumer inside a web process; of several processes the one that holds the lock has it."""

    def __init__(self, app: Flask) -> None:
        self._lock_path = app.extensions["settings"].instance_path / "consumer.lock"
        self._stop = threading.Event()
        self._consumer: _QuietConsumer | None = None
        self._thread = threading.Thread(target=self._run, name="consumer", daemon=True)

    def start(self) -> None:
        """Start, after the fork."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the task that runs, 8 seconds at most, and stop."""
        self._stop.set()
        if self._consumer is not None:
            # What the signal SIGTERM would set: stop() from outside reports running tasks as interrupted.
            self._consumer.shutdown_timeout = 8
            self._consumer._restart, self._consumer._graceful = False, True
            self._consumer._signum = signal.SIGTERM
        self._thread.join(9)

    def _run(self) -> None:
        with self._lock_path.open("w") as file:
            while not self._stop.is_set():
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    self._consumer = _QuietConsumer(huey, workers=1, max_delay=1)
                    self._consumer.run()
                    return
                self._stop.wait(2)
