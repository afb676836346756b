"""A real Chromium: what a page asks for, what it complains of, and what axe finds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import servers

pytest.importorskip("playwright", reason="the tests of what a browser shows need pip install 'segstream[dev]'")
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

__all__ = ["Browser", "Page", "Seen", "chromium", "expect", "serious_of"]

AXE = (Path(__file__).parent / "page" / "vendor" / "axe.min.js").read_text()


class Seen:
    """What a page asked for besides ``host``, and complained of."""

    def __init__(self, page: Page, host: str) -> None:
        self.complaints: list[str] = []
        self.elsewhere: list[str] = []
        self._host = host
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _request(self, request: Request) -> None:
        if not request.url.startswith(self._host):
            self.elsewhere.append(request.url)


@contextmanager
def chromium() -> Iterator[Browser]:
    """This machine's."""
    path = servers.chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


def serious_of(page: Page) -> list[tuple[str, str]]:
    """What axe finds that is serious or critical, each with the first element. Needs ``bypass_csp``."""
    page.evaluate(AXE)
    found = page.evaluate("axe.run()")["violations"]
    return [(v["id"], v["nodes"][0]["html"]) for v in found if v["impact"] in ("serious", "critical")]
