"""Accessibility: axe on every state of every screen, both widths, languages and themes."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.servers import Server, serving
from tests.soak.screens import SCREENS
from tests.soak.walker import Walker

RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("axe")
    with serving(folder, SMS_SIMULATED_DELAY="5", LIMIT_ADDRESS_REQUESTS="100000/3600") as running:
        yield running


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["ru-RU", "en-US"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", SCREENS)
def test_axe_finds_nothing(
    chromium: Browser, server: Server, name: str, width: int, language: str, scheme: str
) -> None:
    context = chromium.new_context(
        base_url=server.url,
        viewport={"width": width, "height": 844},
        locale=language,
        color_scheme="dark" if scheme == "dark" else "light",
        # axe is a script of the test's, put into the page; the policy is checked by the journeys
        bypass_csp=True,
    )
    try:
        page = context.new_page()
        page.set_default_timeout(20_000)
        SCREENS[name](Walker(page, server))
        found = Axe().run(page, options=RULES)
        assert found.violations_count == 0, found.generate_report()
        page.set_viewport_size({"width": 320, "height": 700})
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
    finally:
        context.close()
