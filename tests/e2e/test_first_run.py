"""The guided first run in a real browser: from nobody's Tsuzuki to the first sync, left and resumed on the way."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.conftest import Live, opened, started
from tests.e2e.house import NAME, PASSWORD
from webapp.simulator import constants

pytestmark = [pytest.mark.browser, pytest.mark.integration]
SEND = re.compile(r"^Send [\d,]+ ")


@pytest.fixture
def nobodys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with started(tmp_path_factory.mktemp("first"), connected=False) as live:
        live.services.post("settings", {"device_interval": 1})
        yield live


def test_from_set_up_to_the_first_sync(chrome: Browser, nobodys: Live) -> None:
    with opened(chrome, nobodys.base_url, expected=(422,)) as page:
        make_the_account(page)
        read_the_list(page)
        look_at_the_plan(page)
        leave_and_come_back(page)
        connect_trakt(page)
        send(page)


def make_the_account(page: Page) -> None:
    page.goto("/history")  # whichever page is asked for, the set-up comes first
    expect(page.get_by_role("heading", level=1)).to_have_text("Who may come in?")
    page.get_by_label("Name").fill(NAME)
    page.get_by_label("Password").fill("short")
    page.get_by_role("button", name="Create the account").click()
    expect(page.get_by_text("Take at least 8 characters.")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create the account").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Let's look at your library first.")


def read_the_list(page: Page) -> None:
    expect(step(page)).to_contain_text("Step 2 of 5: connect AniList")
    page.get_by_label("AniList name").fill("!")
    page.get_by_role("button", name="Read my list").click()
    expect(page.get_by_text("An AniList name has 2 to 20 letters, digits or underscores.")).to_be_visible()
    page.get_by_label("AniList name").fill(constants.ANILIST_USER_NAME)
    page.get_by_role("button", name="Read my list").click()
    expect(page.get_by_text(f"We look for the list of {constants.ANILIST_USER_NAME}.")).to_be_visible()


def look_at_the_plan(page: Page) -> None:
    """The caches fill by themselves; Home says so without being loaded again, and then what comes next."""
    expect(page.get_by_role("heading", level=1)).to_have_text("Ready for the first look.")
    page.get_by_role("link", name="Make a preview").first.click()
    page.get_by_role("button", name="Preview", exact=True).first.click()
    expect(page.get_by_text(re.compile(r"would be added to Trakt"))).to_be_visible()
    expect(page.get_by_role("button", name=SEND)).to_be_disabled()  # nowhere to send it to yet


def leave_and_come_back(page: Page) -> None:
    page.get_by_role("button", name="Sign out").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.get_by_label("Name").fill(NAME)
    page.get_by_label("Password").fill("not my password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("This name and this password don't belong together.")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(step(page)).to_contain_text("Step 5 of 5: connect Trakt")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Your plan is ready")


def connect_trakt(page: Page) -> None:
    """By the code that is typed on Trakt's page, here in another tab; this page notices by itself."""
    page.get_by_role("main").get_by_role("link", name="Connect Trakt").click()
    page.locator("#trakt").get_by_role("button", name=re.compile("code to type")).click()
    code = page.locator(".code").inner_text()
    with page.context.expect_page() as tab:
        page.get_by_role("link", name=re.compile(r"^http.*activate")).click()
    there = tab.value
    there.get_by_label("Code").fill(code)
    there.get_by_role("button", name="Approve").click()
    expect(there.get_by_role("status")).to_be_visible()
    there.close()
    expect(page.get_by_text("Trakt is connected.")).to_be_visible()


def send(page: Page) -> None:
    page.goto("/sync")
    page.get_by_role("button", name=re.compile("^Preview")).first.click()
    page.get_by_role("button", name=SEND).click()
    expect(page.get_by_text("Sent", exact=True).first).to_be_visible()
    page.get_by_role("link", name="Home", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("on Trakt")
    expect(step(page)).to_have_count(0)


def step(page: Page) -> Locator:
    return page.locator("#step")
