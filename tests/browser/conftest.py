"""A browser and a server for the journeys."""

import re
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.servers import Server, serving

expect.set_options(timeout=30_000)  # a machine may stand still for a while


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("served"), SMS_SIMULATED_DELAY="0") as running:
        yield running


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    names = ("chromium-headless-shell", "chromium", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--disable-gpu", "--disable-quic", "--no-sandbox"], timeout=60_000
        )
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Browser, server: Server) -> Iterator[Any]:
    """Opens pages of the site; what a page logs or asks elsewhere fails the test."""
    contexts, wrong = [], []

    def make(**options: Any) -> Page:
        context = chromium.new_context(base_url=server.url, **options)
        context.set_default_timeout(30_000)
        context.set_default_navigation_timeout(30_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: wrong.append(m.text) if m.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "request", lambda r: wrong.append(r.url) if not r.url.startswith((server.url, "data:", "blob:")) else None
        )
        return page

    yield make
    for context in contexts:
        context.close()
    # The browser itself logs a refused form (422) and a connection that a test has cut.
    assert [text for text in wrong if not re.search("422|ERR_FAILED|htmx:(afterRequest|sendError)", text)] == []
