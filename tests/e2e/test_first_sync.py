"""What a person sees and presses, from the first preview to Undo, in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.integration]


def test_a_person_previews_unticks_a_title_sends_the_rest_and_sees_the_run_finish(page: Page) -> None:
    expect(page.get_by_text("Step 4 of 5: look at the plan")).to_be_visible()
    page.get_by_role("link", name="Sync", exact=True).click()
    page.get_by_role("button", name="Preview", exact=True).first.click()

    # The plan comes by itself when the preview has ended.
    send = page.get_by_role("button", name=re.compile(r"^Send [\d,]+ "))
    expect(send).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(r"would be added to Trakt\.$"))
    expect(page.locator("#head")).to_contain_text("Nothing has been sent.")
    count = page.locator("[data-count]")
    before = count.inner_text()
    page.get_by_role("checkbox", name="Send ONE PIECE").uncheck()
    expect(count).not_to_have_text(before)
    page.get_by_label("Tick all").uncheck()
    expect(send).to_be_disabled()
    page.get_by_label("Tick all").check()
    page.get_by_role("checkbox", name="Send ONE PIECE").uncheck()
    wanted = int(re.sub(r"\D", "", count.inner_text().partition("ticked")[2]))

    send.click()
    expect(page.locator("#head .badge")).to_have_text("Sent")
    done = page.get_by_role("heading", level=1).inner_text()
    assert sum(int(number.replace(",", "")) for number in re.findall(r"[\d,]+(?= (?:episode|movie))", done)) == wanted
    expect(page.get_by_role("heading", name="Titles")).to_be_visible()
    expect(page.get_by_text("You left it out this time; the schedule will send it.")).to_be_visible()
    expect(page.get_by_role("log").or_(page.locator(".log"))).to_contain_text("Added")

    # Home and History say the same, at phone size too.
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("link", name="Home").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("on Trakt")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("link", name="History", exact=True).first.click()
    expect(page.locator("#plays .badge").first).to_have_text("Sent")

    # Undo asks first, and Home follows without being loaded again.
    page.set_viewport_size({"width": 1280, "height": 900})
    page.get_by_role("link", name=re.compile(r"^run \d+$")).first.click()
    page.get_by_role("link", name="Undo").click()
    expect(page.get_by_text("Plays from before stay")).to_be_visible()
    page.get_by_role("button", name="Remove them from Trakt").click()
    expect(page.locator("#head .badge")).to_have_text("Done")
    page.goto("/history?state=hold")
    expect(page.locator("#plays .badge").first).to_have_text("Removed")
