"""The plan with its dates and ticks, the report as a picture, and the live log, in a real browser against the whole app."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.integration]
SEND = re.compile(r"^Send [\d,]+ ")


def test_a_plan_is_looked_at_from_all_sides_and_the_log_tells_of_it(page: Page) -> None:
    page.goto("/sync")
    page.get_by_role("button", name="Preview", exact=True).first.click()
    send = page.get_by_role("button", name=SEND)
    expect(send).to_be_visible()
    the_report_is_a_picture(page)
    other_dates_change_nothing_but_the_dates(page)
    a_title_is_never_sent(page)
    what_is_there_already_unfolds(page)
    the_log_pauses(page)


def the_report_is_a_picture(page: Page) -> None:
    expect(page.get_by_role("heading", name="Your library, placed")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as picture").click()
    assert download.value.suggested_filename == "tsuzuki-report.svg"
    drawn = ET.parse(download.value.path()).getroot()  # noqa: S314 # our own picture
    assert drawn.tag == "{http://www.w3.org/2000/svg}svg"


def other_dates_change_nothing_but_the_dates(page: Page) -> None:
    send = page.get_by_role("button", name=SEND)
    whole = send.inner_text()
    page.get_by_role("checkbox", name="Send ONE PIECE").uncheck()
    expect(send).not_to_have_text(whole)
    left = send.inner_text()
    dates = page.locator("[id^=dates-]").first
    before = dates.inner_text()
    page.get_by_label("Dates").select_option("released")
    button = page.get_by_role("button", name="Use these dates")
    button.focus()
    button.press("Enter")
    expect(dates).to_contain_text("release date")
    assert dates.inner_text() != before
    expect(page.get_by_role("checkbox", name="Send ONE PIECE")).not_to_be_checked()
    expect(send).to_have_text(left)
    expect(page.get_by_role("button", name="Use these dates")).to_be_focused()


def a_title_is_never_sent(page: Page) -> None:
    page.get_by_role("button", name="Never send ONE PIECE").click()
    back = page.get_by_role("button", name="Take it back: ONE PIECE")
    expect(back).to_be_visible()
    expect(page.get_by_role("checkbox", name="Send ONE PIECE")).to_have_count(0)
    back.click()
    expect(page.get_by_role("checkbox", name="Send ONE PIECE")).to_be_checked()


def what_is_there_already_unfolds(page: Page) -> None:
    page.locator("summary", has_text="Already there").click()
    expect(page.locator(".there .badge").first).to_have_text("Already there")


def the_log_pauses(page: Page) -> None:
    page.goto("/logs")
    lines = page.locator("#lines li:not([hidden])")
    expect(lines.first).to_be_visible()
    pause = page.get_by_role("button", name="Pause")
    pause.click()
    expect(pause).to_have_attribute("aria-pressed", "true")
    count = lines.count()
    page.request.post("/sync", form={"mode": "full", "do": "preview", "csrf_token": page.locator("[name=csrf_token]").first.input_value()}, headers={"Origin": page.url.removesuffix("/logs")})  # fmt: skip
    other = page.context.new_page()
    other.goto("/logs")
    expect(other.locator("#lines li:not([hidden])")).not_to_have_count(count)
    other.close()
    expect(lines).to_have_count(count)
    pause.click()
    expect(lines).not_to_have_count(count)
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.locator("#toasts")).to_contain_text("Copied")
