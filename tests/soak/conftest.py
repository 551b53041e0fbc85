"""What the long tests share with the journeys."""

from tests.browser.conftest import chromium

__all__ = ["chromium"]
