"""Jobs: Huey's tasks, which call services, and the schedule.

A lost wake-up loses nothing: the rows are the truth, and the sweep finds them within a minute.
"""

import contextlib
import fcntl
import logging
import signal
import threading
from collections.abc import Callable

import redis
from flask import Flask
from huey import Huey, crontab
from huey.consumer import Consumer
from huey.storage import MemoryStorage, RedisStorage, SqliteStorage

from .config import settings
from .services import erasure, messages, nightly, outbox, statuses

log = logging.getLogger(__name__)
huey = Huey("referral", storage_class=MemoryStorage, immediate=False, results=False)
_app: Flask | None = None


def _in_app(task: Callable[[], None]) -> Callable[[], None]:
    def run() -> None:
        if _app is None:
            raise RuntimeError("jobs.connect() was not called")
        with _app.app_context():
            task()

    run.__name__ = task.__name__
    return run


@huey.task()
@_in_app
def send_messages() -> None:
    """Send what was just queued, and all that waits with it."""
    outbox.run_once()


@huey.task()
@_in_app
def check_messages() -> None:
    """Ask what became of what was sent; codes that wait go first."""
    outbox.run_once()
    if statuses.check_once():
        check_messages()


@huey.periodic_task(crontab(minute="*"))
@_in_app
def sweep() -> None:
    """Send, and ask for, what a lost wake-up or a killed process left."""
    outbox.run_once()
    check_messages()


@huey.periodic_task(crontab(minute="*"))
@_in_app
def reset_codes() -> None:
    """End live challenges when CODE_RESET_HOURS are over."""
    nightly.reset_codes()


@huey.periodic_task(crontab(minute="17"))
@_in_app
def drop_old_rows() -> None:
    """Drop what nobody asks for any more, and see to what an erasure could not."""
    erasure.forget_leftovers()
    nightly.forget_old_data()
    nightly.drop_old_rows()


def connect(app: Flask, *, waits: float = 0.3) -> None:
    """Let this process put tasks into the queue: Redis, or a file beside the database for the web processes.

    `waits` are the seconds that Redis may take: a person's request must not wait for one that is frozen.
    """
    global _app  # noqa: PLW0603  Huey's tasks are global, so is the app that they run in
    _app = app
    chosen = app.extensions["settings"]
    if chosen.redis_url:
        pool = redis.ConnectionPool.from_url(chosen.redis_url, socket_timeout=waits, socket_connect_timeout=waits)
        huey.storage_class, huey.storage_kwargs = RedisStorage, {"connection_pool": pool}
    else:
        huey.storage_class = SqliteStorage
        huey.storage_kwargs = {"filename": str(chosen.instance_path / "jobs.db"), "fsync": True}
    huey.storage = huey.create_storage()
    messages.queued.connect(_wake)
    messages.sent.connect(_wake_to_check)
    messages.postponed.connect(_wake_later)


def _wake(_message_id: int) -> None:
    delay = settings().sms_delay.total_seconds()
    try:
        # The row is due to the microsecond: a little later it surely is.
        send_messages.schedule(delay=delay + 0.01) if delay else send_messages()
    except Exception:
        log.exception("the queue took no task; the sweep will find the row")


def _wake_to_check(_sender: None) -> None:
    try:
        check_messages.schedule(delay=outbox.FIRST_CHECK.total_seconds() + 0.01)
    except Exception:
        log.exception("the queue took no task; the sweep will find the row")


def _wake_later(seconds: float) -> None:
    if not seconds:
        return  # whoever has it takes it again at once
    try:
        send_messages.schedule(delay=seconds + 0.01)
    except Exception:
        log.exception("the queue took no task; the sweep will find the row")


class _QuietConsumer(Consumer):
    """A consumer whose process handles the signals itself."""

    def _set_signal_handlers(self) -> None:
        pass


class ConsumerThread:
    """The consumer in a thread. Beside web servers it is `alone`: the process that holds the lock has it."""

    def __init__(self, app: Flask, *, workers: int = 1, alone: bool = True) -> None:
        self._lock_path = app.extensions["settings"].instance_path / "consumer.lock"
        self._workers, self._alone = workers, alone
        self._stop = threading.Event()
        self._consumer: _QuietConsumer | None = None
        self._thread = threading.Thread(target=self._run, name="consumer", daemon=True)

    def start(self) -> None:
        """Start, after the fork."""
        self._thread.start()

    def is_alive(self) -> bool:
        """Tell whether it still takes jobs."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Finish the tasks that run, 8 seconds at most, and stop."""
        self._stop.set()
        if self._consumer is not None:
            # What the signal SIGTERM would set: stop() from outside reports running tasks as interrupted.
            self._consumer.shutdown_timeout = 8
            self._consumer._restart, self._consumer._graceful = False, True
            self._consumer._signum = signal.SIGTERM
        self._thread.join(9)

    def _run(self) -> None:
        if not self._alone:
            self._consume()
            return
        with self._lock_path.open("w") as file:
            while not self._stop.is_set():
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    self._consume()
                    return
                self._stop.wait(2)

    def _consume(self) -> None:
        self._consumer = _QuietConsumer(huey, workers=self._workers, max_delay=1)
        self._consumer.run()
