"""axe-core finds nothing serious on any page: light and dark, desktop and phone. The rules are those of WCAG 2.2 AA."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e import house
from tests.e2e.conftest import SIZES, opened, sign_in, unfold

pytestmark = pytest.mark.browser
# https://github.com/dequelabs/axe-core, as its package for Playwright brings it
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
QUICK, REST = (("light", "desktop"), ("dark", "phone")), (("light", "phone"), ("dark", "desktop"))


def look(page: Page, address: str) -> list[str]:
    """What axe finds there, with everything unfolded."""
    page.goto(address)
    unfold(page)
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    page.evaluate(AXE)  # not as a script of the page, which the policy refuses
    found: list[dict[str, Any]] = page.evaluate(
        "tags => axe.run({runOnly: tags, resultTypes: ['violations']}).then(done => done.violations)", TAGS
    )
    too_wide = [f"{address}: {wide} pixels wider than the window"] if wide > 0 else []
    return too_wide + [
        f"{address}: {one['id']}, {one['impact']}: {one['help']}\n    {node['html'][:300]}\n    {node['failureSummary']}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


@pytest.mark.parametrize(("theme", "size"), QUICK)
def test_axe_finds_nothing_serious_on_a_page(chrome: Browser, furnished: house.House, theme: str, size: str) -> None:
    first = [addresses[0] for addresses in furnished.pages.values()]
    look_at_all(chrome, furnished, theme, size, first[QUICK.index((theme, size)) :: len(QUICK)])


@pytest.mark.slow
@pytest.mark.parametrize(("theme", "size"), [*QUICK, *REST])
def test_axe_finds_nothing_serious_in_any_state_of_a_page(
    chrome: Browser, furnished: house.House, theme: str, size: str
) -> None:
    look_at_all(chrome, furnished, theme, size, furnished.addresses())


@pytest.mark.slow
def test_axe_finds_nothing_serious_where_there_is_nothing_to_show(chrome: Browser, tmp_path: Path) -> None:
    with house.empty(tmp_path) as made:
        look_at_all(chrome, made, "light", "phone", made.addresses())


def look_at_all(chrome: Browser, made: house.House, theme: Any, size: str, addresses: list[str]) -> None:
    with opened(chrome, made.base_url, viewport=SIZES[size], color_scheme=theme) as page:
        sign_in(page)
        found = [fault for address in addresses for fault in look(page, address)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(("theme", "size"), QUICK)
def test_axe_finds_nothing_serious_outside(chrome: Browser, tmp_path: Path, theme: Any, size: str) -> None:
    """The set-up, the sign-in, and a page that is not there."""
    with (
        house.unowned(tmp_path / "new") as new,
        house.empty(tmp_path / "owned") as owned,
        opened(chrome, owned.base_url, expected=(404,), viewport=SIZES[size], color_scheme=theme) as page,
    ):
        found = look(page, f"{new.base_url}/setup") + look(page, "/login")
        sign_in(page)
        found += look(page, "/nothing")
    assert not found, "\n".join(found)


def test_every_page_of_the_app_is_in_the_list(furnished: house.House) -> None:
    """A page that is added is looked at, or its endpoint is named as no page."""
    rules = [rule for rule in furnished.app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    answering = {rule.endpoint for rule in rules if not rule.endpoint.startswith(("api_", "cron"))} | {"api_docs.page"}
    assert answering - house.NO_PAGES == set(furnished.pages)


def test_a_server_that_does_not_answer_says_so_once_and_when_it_is_back(
    chrome: Browser, furnished: house.House
) -> None:
    with opened(chrome, furnished.base_url, expected=(503,)) as page:
        sign_in(page)
        page.goto("/")
        page.route("**/changes*", lambda route: route.fulfill(status=503))
        said = page.locator("#toasts")
        expect(said).to_contain_text("Tsuzuki does not answer.")
        page.unroute("**/changes*")
        expect(said).to_contain_text("Tsuzuki answers again.")
        assert said.locator("p").count() <= 2


def test_by_keyboard_one_skips_to_the_content_searches_and_sees_where_one_is(
    chrome: Browser, furnished: house.House
) -> None:
    with opened(chrome, furnished.base_url) as page:
        sign_in(page)
        page.goto("/settings")
        page.keyboard.press("Tab")
        skip = page.get_by_role("link", name="Skip to content")
        expect(skip).to_be_focused()
        expect(skip).to_be_in_viewport()
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()
        page.keyboard.press("Tab")
        ring = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert ring == "solid"

        page.keyboard.press("/")  # no search here: the titles'
        expect(page.get_by_label("Search titles and ids")).to_be_focused()
        page.keyboard.type("1/2")  # typed, not jumped
        expect(page.get_by_label("Search titles and ids")).to_have_value("1/2")
        page.goto("/history")
        page.keyboard.press("/")
        expect(page.get_by_label("Search titles")).to_be_focused()
