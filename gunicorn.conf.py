"""How Gunicorn serves the app: threads in one process, the jobs' consumer beside them."""

from referral_app import logs
from referral_app.config import load_settings
from referral_app.environment import BadSetting
from referral_app.jobs import ConsumerThread, connect

try:
    _settings = load_settings()
except BadSetting as bad:
    raise SystemExit(str(bad)) from bad
bind = f"[{_settings.host}]:{_settings.port}" if ":" in _settings.host else f"{_settings.host}:{_settings.port}"
wsgi_app = "wsgi:app"
worker_class = "gthread"
workers = _settings.web_concurrency
threads = 16
timeout = 60
graceful_timeout = 10
control_socket_disable = True
logconfig_dict = logs.CONFIG | {"loggers": {**logs.CONFIG["loggers"], "gunicorn.error": {"level": "WARNING"}}}
_consumers = []


def when_ready(server):
    """Say where to look."""
    print(f"Open {_settings.site_url}", flush=True)


def post_worker_init(worker):
    """Start the consumer after the fork; of several workers one has it. With Redis, `flask worker` is the consumer."""
    app = worker.app.callable
    connect(app)
    if not _settings.redis_url:
        _consumers.append(ConsumerThread(app))
        _consumers[-1].start()


def worker_exit(server, worker):
    """Let the consumer finish what it has in hand."""
    for consumer in _consumers:
        consumer.stop()
