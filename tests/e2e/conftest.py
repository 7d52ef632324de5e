"""A whole Tsuzuki against the simulator, and a real browser that complains about everything."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import ConsoleMessage, Page, Request, expect, sync_playwright

from webapp.launch.running import Running
from webapp.launch.start import free_port
from webapp.simulator import process as simulator

NAME, PASSWORD = "hanako", "a long password"
# A browser of a test talks to nobody but us.
FLAGS = [
    "--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-default-apps", "--disable-sync",
    "--no-first-run", "--disable-features=OptimizationHints,MediaRouter,Translate",
]  # fmt: skip


@pytest.fixture(scope="module")
def live_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Web, worker and Redis as `./run up` starts them, signed in to the simulator's services."""
    folder = tmp_path_factory.mktemp("live")
    with simulator.start() as services:
        settings = {
            **services.env,
            "ADMIN_USERNAME": NAME,
            "ADMIN_PASSWORD": PASSWORD,
            "HOST": "127.0.0.1",
            "PORT": str(free_port()),
            "DATA_DIR": str(folder / "data"),
            "TRAKT_SETTLE_SECONDS": "0.2",
            "TICK_SECONDS": "0.5",
            "TZ": "Europe/Berlin",
        }
        with Running(settings, folder / "console.log") as running:
            yield running


@pytest.fixture
def page(live_app: Running) -> Iterator[Page]:
    """Signed in, in the middle of the house; any script error, broken rule or failed request fails the test."""
    faults: list[str] = []

    def console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            faults.append(f"console: {message.text}")

    def failed(request: Request) -> None:
        # A page that one leaves aborts what it was polling.
        if request.failure != "net::ERR_ABORTED":
            faults.append(f"failed: {request.url} {request.failure}")

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        opened = browser.new_page(viewport={"width": 1280, "height": 900}, base_url=live_app.base_url)
        opened.set_default_timeout(60_000)
        expect.set_options(timeout=60_000)  # a busy machine takes its time; what never comes still fails
        opened.on("console", console)
        opened.on("pageerror", lambda error: faults.append(f"script: {error}"))
        opened.on("requestfailed", failed)
        opened.goto("/")
        opened.get_by_label("Name").fill(NAME)
        opened.get_by_label("Password").fill(PASSWORD)
        opened.get_by_role("button", name="Sign in").click()
        yield opened
        browser.close()
    assert not faults, "\n".join(faults)


def chromium() -> str:
    found = next((path for path in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if path), None)
    assert found, "Chromium is needed: on Debian or Ubuntu, sudo apt-get install chromium"
    return str(Path(found))
