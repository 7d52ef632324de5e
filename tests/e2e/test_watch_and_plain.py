"""A long run watched in two tabs and cancelled; and the same pages in a browser without JavaScript."""

from __future__ import annotations

import re
import time

import pytest
import requests
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.conftest import Live, opened, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.integration]
SEND = re.compile(r"^Send [\d,]+ ")
PATIENCE = 90.0  # seconds
ONE = 145064  # Jujutsu Kaisen 2: Season 1, 25-47


def test_a_run_is_watched_live_in_its_page_and_in_the_logs_and_is_cancelled(chrome: Browser, live_app: Live) -> None:
    slow = {"kind": "late_answer", "seconds": 4, "count": 4}  # time enough to look and to press Cancel
    live_app.services.post(
        "faults", [{**slow, "service": "anilist"}, {**slow, "service": "trakt", "seconds": 0.5, "count": 0}]
    )
    try:
        with opened(chrome, live_app.base_url) as page:
            sign_in(page)
            watch_and_cancel(page)
    finally:
        requests.delete(f"{live_app.services.base_url}/_sim/faults", timeout=60).raise_for_status()


def watch_and_cancel(page: Page) -> None:
    logs = page.context.new_page()
    logs.goto("/logs")
    lines = logs.locator("#lines li:not([hidden])")
    before = lines.count()

    page.bring_to_front()  # a tab in the background does not ask
    page.goto("/sync")
    page.get_by_role("button", name="Preview", exact=True).first.click()
    expect(page.locator("#progress progress")).to_be_visible()  # what it does now, without being loaded again
    number = page.url.rpartition("/")[2]
    expect(page.locator(".log li").first).to_be_visible()

    logs.bring_to_front()
    # The tail of all logs grows by itself, newest first, and leads to the run.
    expect(logs.get_by_role("link", name=f"run {number}", exact=True).first).to_be_visible()
    assert lines.count() > before

    page.bring_to_front()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#head .badge")).to_have_text("Cancelled")
    expect(page.locator("#progress progress")).to_have_count(0)
    logs.bring_to_front()
    logs.get_by_role("link", name="Errors").click()
    expect(logs.get_by_text("No lines at this level.")).to_be_visible()


def test_without_javascript_one_previews_sends_corrects_and_undoes(chrome: Browser, live_app: Live) -> None:
    with opened(chrome, live_app.base_url, java_script_enabled=False) as page:
        sign_in(page)
        preview_and_send(page)
        correct_by_form(page)
        undo(page)


def reloaded_until(page: Page, wanted: Locator) -> None:
    """A person without a script presses the browser's button."""
    deadline = time.monotonic() + PATIENCE
    while not wanted.is_visible():
        assert time.monotonic() < deadline, f"{wanted} never came: {page.locator('main').inner_text()[:500]}"
        time.sleep(0.5)
        page.reload()


def preview_and_send(page: Page) -> None:
    page.goto("/sync")
    page.get_by_text("More ways").click()
    page.get_by_label("One title").fill(str(ONE))
    page.get_by_label("One title").press("Tab")
    page.locator("form", has=page.get_by_label("One title")).get_by_role("button", name="Preview").click()
    reloaded_until(page, page.get_by_role("button", name=SEND))
    assert page.locator("[data-count]").inner_text() == "1 title, 23 plays"
    page.get_by_role("button", name=SEND).click()
    reloaded_until(page, page.get_by_role("link", name="Undo"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("23 episodes are on Trakt")


def correct_by_form(page: Page) -> None:
    page.goto(f"/mappings/{ONE}")
    page.get_by_label("starting at").first.fill("26")
    page.get_by_role("button", name="Look at it first").click()
    expect(page.locator("#outlook")).to_contain_text("23 plays stand on Season 1, 25-47.")
    page.get_by_role("button", name="Save the place").click()
    reloaded_until(page, page.locator("#place", has_text="Season 1, 26-48"))
    page.get_by_role("button", name="Reset to automatic").click()
    reloaded_until(page, page.locator("#place", has_text="Season 1, 25-47"))


def undo(page: Page) -> None:
    page.goto(f"/history?title={ONE}")
    page.get_by_role("link", name=re.compile(r"^run \d+$")).first.click()
    page.get_by_role("link", name="Undo").click()
    page.get_by_role("button", name="Remove them from Trakt").click()
    reloaded_until(page, page.locator("#head .badge", has_text="Done"))
    page.goto(f"/history?title={ONE}")
    expect(page.locator("#plays .badge").first).to_have_text("Removed")
