"""A whole Tsuzuki against the simulator, and a real browser that complains about everything."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    expect,
    sync_playwright,
)

from tests.e2e import house
from tests.e2e.house import NAME, PASSWORD
from tests.real_servers import new_database
from webapp.launch.running import Running
from webapp.launch.start import free_port
from webapp.simulator import process as simulator

PATIENCE = 60_000  # milliseconds
SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}
# A browser of a test talks to nobody but us.
FLAGS = [
    "--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-default-apps", "--disable-sync",
    "--no-first-run", "--disable-features=OptimizationHints,MediaRouter,Translate",
]  # fmt: skip


@contextmanager
def database(kind: str, cluster: Callable[[], str]) -> Iterator[dict[str, str]]:
    """The settings of a database of this kind: SQLite as a person has it, or a PostgreSQL one on the test's server."""
    if kind == "sqlite":
        yield {}
        return
    with new_database(cluster()) as address:
        yield {"DATABASE_URL": address}


@dataclass(frozen=True)
class Live:
    """A whole Tsuzuki and the simulator that it talks to."""

    app: Running
    services: simulator.Running

    @property
    def base_url(self) -> str:
        return self.app.base_url


@contextmanager
def started(folder: Path, changes: Mapping[str, str] | None = None, *, connected: bool = True) -> Iterator[Live]:
    """Web, worker and Redis as `./run up` starts them. `connected`: with an account that is signed in to the services."""
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
            **(changes or {}),
        }
        if not connected:
            seeds = ("ADMIN_USERNAME", "ADMIN_PASSWORD", *(name for name in settings if name.endswith("_TOKEN")))
            settings = {name: value for name, value in settings.items() if name not in seeds}
        with Running(settings, folder / "console.log") as running:
            yield Live(running, services)


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def live_app(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    stored = database(request.param, lambda: request.getfixturevalue("postgres_cluster"))
    with stored as address, started(tmp_path_factory.mktemp("live"), address) as live:
        yield live


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    """One browser for the tests of a file; each takes a context of its own."""
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE)  # a busy machine takes its time; what never comes still fails
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield browser
        browser.close()


class Faults(list[str]):
    """What a browser complained about: script errors, broken rules of the policy, failed requests, bad answers."""

    def __init__(self, expected: tuple[int, ...] = ()) -> None:
        super().__init__()
        self.expected = expected  # answers that a test wants to see

    def listen(self, context: BrowserContext) -> None:
        context.on("console", self._console)
        context.on("weberror", lambda error: self.append(f"script: {error.error}"))
        context.on("requestfailed", self._failed)
        context.on("response", self._answered)

    def _console(self, message: ConsoleMessage) -> None:
        # A bad answer is complained about below, with its address; the browser and htmx say it once more.
        told = any(words in message.text for words in ("Failed to load resource", "Response Status Error Code"))
        if message.type in ("error", "warning") and not told:
            self.append(f"console: {message.text}")

    def _failed(self, request: Request) -> None:
        # A page that one leaves aborts what it was polling.
        if request.failure != "net::ERR_ABORTED":
            self.append(f"failed: {request.url} {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.expected:
            self.append(f"answer: {response.status} {response.url}")


@contextmanager
def opened(chrome: Browser, base_url: str, *, expected: tuple[int, ...] = (), **look: Any) -> Iterator[Page]:
    """A page in a new context, 1280 x 900 unless `look` says otherwise; the faults of its browser fail the test."""
    faults = Faults(expected)
    context = chrome.new_context(**{"viewport": SIZES["desktop"], "base_url": base_url, **look})
    context.set_default_timeout(PATIENCE)
    faults.listen(context)
    try:
        yield context.new_page()
    finally:
        context.close()
    assert not faults, "\n".join(faults)


def unfold(page: Page) -> None:
    """Open whatever is folded, but the menu, which would lie over the page."""
    page.evaluate("document.querySelectorAll('main details').forEach(folded => folded.open = true)")


def sign_in(page: Page) -> None:
    page.goto("/login")
    page.get_by_label("Name").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Sign in")


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[house.House]:
    with house.furnished(tmp_path_factory.mktemp("furnished")) as made:
        yield made


@pytest.fixture
def page(live_app: Live, chrome: Browser) -> Iterator[Page]:
    """Signed in, in the middle of the house; any script error, broken rule or failed request fails the test."""
    with opened(chrome, live_app.base_url) as fresh:
        sign_in(fresh)
        yield fresh


def chromium() -> str:
    found = next((path for path in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if path), None)
    assert found, "Chromium is needed: on Debian or Ubuntu, sudo apt-get install chromium"
    return str(Path(found))
