"""A browser and a hub for the tests of a module: outside of it, other tests need the thread's event loop."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from builders.browser import CHROMIUM, Opened, a_browser, opened
from builders.served import a_served_hub
from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with a_served_hub(tmp_path_factory.mktemp("hub")) as served:
        yield served.base_url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here; .ci/run installs one")
    with a_browser() as running:
        yield running


@pytest.fixture
def page(browser: Browser, base_url: str) -> Iterator[Opened]:
    """The page, in Vietnamese; whatever it does, it asks for nothing but its own files and the browser complains of
    nothing."""
    with browser.new_context() as context:
        page = opened(context, base_url)
        yield page
        assert page.told == []
        assert [url for url in page.asked if url != page.address and not url.startswith(page.files)] == []


@pytest.fixture(scope="module")
def verifying(browser: Browser, base_url: str) -> Iterator[Opened]:
    """A page for the tests that call its modules only."""
    with browser.new_context() as context:
        yield opened(context, base_url)
