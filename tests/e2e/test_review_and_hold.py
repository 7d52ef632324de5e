"""Needs you by keyboard, and Undo with "send again", in a real browser against the whole app."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

PATIENCE = 60_000  # milliseconds; runs and page loads on a busy machine
pytestmark = [pytest.mark.browser, pytest.mark.integration]


def test_titles_are_decided_by_keyboard_and_what_is_undone_stays_off_until_send_again(page: Page) -> None:
    sync(page)
    decide_by_keyboard(page)
    page.set_viewport_size({"width": 1280, "height": 900})
    undo_and_send_again(page)


def sync(page: Page) -> None:
    """Everything that has its place goes to Trakt."""
    page.get_by_role("link", name="Sync", exact=True).click()
    page.get_by_role("button", name="Preview", exact=True).first.click()
    page.get_by_role("button", name=re.compile(r"^Send [\d,]+ ")).click()
    expect(page.locator("#head .badge")).to_have_text("Sent", timeout=PATIENCE)


def decide_by_keyboard(page: Page) -> None:
    page.goto("/review")
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("3 titles to decide")
    cards = page.locator("[data-card]")
    special = page.locator("[data-card]", has=page.locator('[data-key="1"]')).first
    name = special.get_by_role("heading").inner_text()
    assert special.get_by_role("img", name=re.compile("would be yours")).count() >= 1

    # S goes from title to title; 1 takes the first place of the one that has the focus.
    for _ in range(cards.count()):
        if page.evaluate("document.activeElement.id") == special.get_attribute("id"):
            break
        page.keyboard.press("s")
    expect(special).to_be_focused()
    page.keyboard.press("1")
    expect(heading).to_have_text("2 titles to decide")
    expect(page.get_by_role("region", name="Decided last")).to_contain_text("hanako")
    expect(page.get_by_role("heading", name=name)).to_have_count(0)

    # U takes it back, and the title has the focus again.
    page.keyboard.press("u")
    expect(heading).to_have_text("3 titles to decide")
    expect(page.locator("[data-card]", has=page.get_by_role("heading", name=name))).to_be_focused()

    # X and N decide too; a key that is typed into a field does not.
    page.keyboard.press("x")
    expect(heading).to_have_text("2 titles to decide")
    expect(page.get_by_role("region", name="Decided last")).to_contain_text("never sent")
    page.keyboard.press("u")
    expect(heading).to_have_text("3 titles to decide")
    page.keyboard.press("n")
    expect(heading).to_have_text("2 titles to decide")
    page.get_by_role("button", name="Take back").first.click()
    expect(heading).to_have_text("3 titles to decide")

    # The piles below, folded, at phone size too.
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_text("No match known").click()
    page.get_by_role("button", name=re.compile("^Ignore all of Music video")).click()
    expect(page.get_by_role("region", name="Decided last")).to_contain_text("put aside")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.goto("/history")
    page.get_by_label("Search titles").press_sequentially("nux")
    expect(page).to_have_url(re.compile(r"q=nux"))
    expect(page.get_by_text("No play fits.")).to_be_visible()


def undo_and_send_again(page: Page) -> None:
    page.goto("/history")
    page.get_by_role("link", name=re.compile(r"^run \d+$")).last.click()
    page.get_by_role("link", name="Undo").click()
    page.get_by_role("button", name="Remove them from Trakt").click()
    expect(page.locator("#head .badge")).to_have_text("Done", timeout=PATIENCE)

    # A check sends nothing of it.
    page.goto("/sync")
    page.get_by_role("button", name="Preview", exact=True).first.click()
    expect(page.get_by_text(re.compile("Nothing new")).first).to_be_visible(timeout=PATIENCE)

    page.goto("/history?state=hold")
    page.get_by_text("On hold by title and by run").click()
    page.get_by_role("button", name=re.compile(r"^Send all plays of run \d+ again")).click()
    expect(page.locator("#head .badge")).to_have_text("Sent", timeout=PATIENCE)
    page.goto("/history?state=hold")
    expect(page.get_by_text("No play fits.")).to_be_visible()
