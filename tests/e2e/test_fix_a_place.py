"""Correcting where a title goes, in a real browser: the sentence, what it would mean, saving, and moving what was sent."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

PATIENCE = 60_000  # milliseconds; runs and page loads on a busy machine
pytestmark = [pytest.mark.browser, pytest.mark.integration]
SPECIAL = "/mappings/145064"  # Jujutsu Kaisen 2: Season 1, 25-47


def test_a_place_is_corrected_in_the_grid_and_the_plays_follow(page: Page) -> None:
    page.get_by_role("link", name="Sync", exact=True).click()
    page.get_by_role("button", name="Preview", exact=True).first.click()
    expect(page.get_by_role("button", name=re.compile(r"^Send [\d,]+ "))).to_be_visible(timeout=PATIENCE)
    page.goto(SPECIAL)
    page.get_by_role("button", name="Sync this title now").click()
    expect(page.locator("#head .badge")).to_have_text("Sent", timeout=PATIENCE)

    # What is typed is drawn at once, and nothing is saved by it.
    page.goto(SPECIAL)
    start = page.get_by_label("starting at").first
    expect(start).to_have_value("25")
    start.fill("26")
    outlook = page.locator("#outlook")
    expect(outlook).to_contain_text("23 plays stand on Season 1, 25-47. They will be removed there and added here.")
    expect(outlook.get_by_role("row").nth(1)).to_contain_text("S1 E26")
    page.reload()
    expect(start).to_have_value("25")

    # Save, and the plays move in one go; then back to automatic.
    page.goto(SPECIAL)
    start.fill("26")
    page.get_by_role("button", name="Save, and move what was sent").click()
    expect(page.locator("#head .badge")).to_have_text("Done", timeout=PATIENCE)
    expect(page.get_by_text("The plays stand at their new place")).to_be_visible()
    page.goto(SPECIAL)
    expect(page.locator("#place")).to_contain_text("Season 1, 26-48")
    page.get_by_role("button", name="Reset to automatic").click()
    expect(page.locator("#place")).to_contain_text("Season 1, 25-47", timeout=PATIENCE)

    # Another show is found by title, and why a title is not on Trakt by its name.
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_label("Title, id or address").fill("frieren")
    page.get_by_role("button", name="Search Trakt").click()
    expect(page.locator("#found")).to_contain_text("Frieren", timeout=PATIENCE)
    page.goto("/mappings/why")
    page.get_by_label("A title, or its address on AniList").fill("jujutsu")
    page.get_by_role("button", name="Look", exact=True).click()
    expect(page.get_by_role("heading", name=re.compile("Jujutsu Kaisen")).first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
