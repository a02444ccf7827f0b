"""A real browser for the pages: Debian's Chromium by Playwright, axe, and what must hold of every page in it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
#: It reaches nobody but us: no look-ups of its own, no updates, no QUIC.
_QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
)
#: All that WCAG 2.2 AA asks, as far as a program can tell, target sizes included; and axe's own advice.
_TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
_DESK, _NARROW = {"width": 1280, "height": 900}, {"width": 320, "height": 640}
#: Where `make screenshots` wants pictures.
_PICTURES = os.environ.get("SCREENSHOTS", "")


class Look(Protocol):
    """Looks at a page as it is now, under the name of its state."""

    def __call__(self, page: Page, state: str) -> None:
        """Fail where something does not hold of this page."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for a module; Playwright's loop ends with it, so that other modules of a worker may have theirs."""
    if not CHROMIUM.exists():
        reason = f"{CHROMIUM} is not there: `make browser` installs it where it may"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(_QUIET))
        yield browser
        browser.close()


@pytest.fixture
def new_page(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Opens pages, each on a device of its own; none may complain, nor ask anybody but the hub for anything."""
    complaints: list[str] = []
    asked: set[str] = set()
    contexts = []

    def opened(**how: Any) -> Page:
        context = chromium.new_context(viewport=_DESK, locale="en-GB", timezone_id="Europe/London", **how)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda said: complaints.append(said.text) if _is_grave(said) else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: asked.add(request.url.split("/")[2].split(":")[0]))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []  # a style or script that the policy forbids would be among them
    assert asked <= {"127.0.0.1"}


def _is_grave(said: Any) -> bool:
    """A page that says 403 or 422 is told of by the browser too, and is as it should be."""
    return said.type in {"error", "warning"} and "status of 4" not in said.text


@pytest.fixture(scope="module")
def look() -> Look:
    """Checks what must hold of every page: axe finds nothing, and at 400 % (320 px) nobody scrolls sideways."""
    axe = Axe()

    def looked(page: Page, state: str) -> None:
        found = axe.run(page, options={"runOnly": {"type": "tag", "values": list(_TAGS)}})
        wrong = [f"{each['id']}: {node['html']}" for each in found.response["violations"] for node in each["nodes"]]
        assert wrong == [], f"{state}: {wrong}"
        assert page.title().endswith("Trusted Person Hub")
        page.set_viewport_size(_NARROW)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= _NARROW["width"], f"{state} is {wide} px wide"
        _picture(page, f"{state}-narrow")
        page.set_viewport_size(_DESK)
        _picture(page, state)

    return looked


def _picture(page: Page, name: str) -> None:
    if _PICTURES:
        page.screenshot(path=Path(_PICTURES) / f"{name}.png", full_page=True)
