"""A real browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, ViewportSize, expect, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
OPTIONS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
SIZE = ViewportSize(width=1200, height=1000)
ACTION_SECONDS = 60


@contextmanager
def browser(url: str) -> Iterator[Page]:
    """
    Run a browser from entry to exit; yield a page of it.

    :param url: what paths are relative to
    """
    assert CHROMIUM, "there is no Chromium on the PATH: install Debian's package chromium"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        page = chromium.new_context(base_url=url, viewport=SIZE).new_page()
        page.set_default_timeout(ACTION_SECONDS * 1000)
        expect.set_options(timeout=ACTION_SECONDS * 1000)
        yield page
        chromium.close()
