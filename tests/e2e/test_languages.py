"""In another language every page speaks it: a made-up one, with accents on every letter, carried by German."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from babel.dates import get_month_names
from playwright.sync_api import Browser, Page
from sqlalchemy import select, update
from sqlalchemy.orm.attributes import flag_modified

from jobs.said import counted, parts_of, said
from tests import pseudo
from tests.e2e import house
from tests.e2e.conftest import SIZES, opened
from webapp.extensions import db
from webapp.models import (
    Entry,
    HistoryFinding,
    Log,
    LookUp,
    Mapping,
    MappingList,
    MappingSource,
    Media,
    Run,
    TraktShow,
    User,
)

pytestmark = pytest.mark.browser
# Names are the same in every language; so are what a person typed, zones, file formats, and words of the protocols.
NAMES = frozenset(
    [
        "AniList",
        "Trakt",
        "TMDB",
        "TVDB",
        "IMDb",
        "Otaku",
        "Fribbs",
        "Anime-Lists",
        "MyAnimeList",
        "Tsuzuki",
        "API",
        "VIP",
        "OpenAPI",
        "JSON",
        "CSV",
        "YAML",
        "hanako",
        "CET",
        "CEST",
        "UTC",
        "TV",
        "OVA",
        "ONA",
        "MAL",
    ]
)
WORD, ADDRESS = re.compile(r"[A-Za-z][A-Za-z-]+"), re.compile(r"https://\S+|\{\w+\}")
# Said in English: the documents of the API, which are for people who write programs.
ENGLISH = "code, kbd, .code, [lang=en], script, style"
MONTHS = get_month_names("wide", locale=pseudo.LANGUAGE).values()
SHOW = {"kind": "show", "traktId": 70_000, "year": 2013, "ids": {}}
# As jobs write it.
KEPT = said(
    "%(why)s The rows from before stay in use.",
    why=said(
        "The new file has %(rows)s usable rows, %(share)s %% fewer than the %(before)s at hand.",
        rows=90,
        share=10,
        before=100,
    ),
)
SENT = said("Added %(plays)s.", plays=counted("%(num)s episode", "%(num)s episodes", 1234))
# As the mapping writes it.
SAID = {"reason": "Fribbs says season 2 of TMDB 1429; Trakt lists it. The sources agree.", "detail": "The sources name different places and nothing says which one Trakt follows.", "sources": {"fribbs": "TMDB S2 E1"}}  # fmt: skip
FIND = """english => {
  const found = [];
  const walker = document.createTreeWalker(document, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode())
    if (!node.parentElement.closest(english)) found.push(node.data.trim());
  for (const element of document.querySelectorAll('*'))
    if (!element.closest(english))
      for (const name of ['aria-label', 'title', 'placeholder', 'alt', 'data-copied', 'data-count', 'data-lost', 'data-back'])
        if (element.hasAttribute(name)) found.push(element.getAttribute(name));
  return [...new Set(found)];
}"""


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[house.House]:
    """Everything occurs; the titles are Japanese, so that what is left of English is ours."""
    folder = tmp_path_factory.mktemp("foreign")
    assert pseudo.write(folder / "translations") > 900
    with house.furnished(folder, speaks=folder / "translations") as made:
        with made.app.app_context():
            db.session.execute(update(User).values(title_language="native"))
            db.session.execute(update(TraktShow).values(title="進撃の巨人", seasons={}))
            db.session.execute(update(HistoryFinding).values(title="進撃の巨人"))
            db.session.execute(update(Media).values(title_romaji="進撃の巨人"))
            db.session.execute(update(Mapping).values(reason=SAID["reason"]))
            db.session.execute(update(MappingList).values(title="一覧", url="https://127.0.0.1/1.json"))
            db.session.add_all(
                MappingSource(name=f"list:{one}", url="x") for one in db.session.scalars(select(MappingList.id))
            )
            db.session.execute(
                update(MappingSource).values(last_error=str(KEPT), last_said=parts_of(KEPT), held_rows=90)
            )
            db.session.execute(
                update(Run)
                .where(Run.status.in_(("failed", "partial", "waiting")))
                .values(detail=str(KEPT), detail_said=parts_of(KEPT))
            )
            db.session.execute(update(Log).values(message=str(SENT), said=parts_of(SENT)))
            found = [[{**SHOW, "title": "進撃の巨人"}]]
            db.session.execute(update(LookUp).where(LookUp.state == "answered").values(answer=found))
            for entry in db.session.scalars(select(Entry)):
                entry.placement = {**(entry.placement or {}), **SAID}
                for candidate in entry.placement.get("candidates") or ():
                    candidate["evidence"] = "Fribbs says season 2 of TMDB 1429"
                flag_modified(entry, "placement")
            db.session.commit()
        yield made


def plain(page: Page, address: str) -> list[str]:
    """Texts of this page that went past gettext."""
    page.goto(address)
    texts: list[str] = page.evaluate(FIND, ENGLISH)
    left = {
        text: [word for word in WORD.findall(ADDRESS.sub("", text)) if word not in NAMES and word not in MONTHS]
        for text in texts
    }
    return [f"{address}: {words} in {text!r}" for text, words in left.items() if words]


def test_every_text_of_every_page_goes_through_gettext(chrome: Browser, foreign: house.House) -> None:
    found = []
    with opened(chrome, foreign.base_url, locale="de-DE", viewport=SIZES["phone"]) as page:
        page.goto("/login")
        assert page.evaluate("document.documentElement.lang") == "de"
        found += plain(page, "/login")
        page.locator("[name=username]").fill(house.NAME)
        page.locator("[name=password]").fill(house.PASSWORD)
        page.locator("button.write").click()
        page.wait_for_url(f"{foreign.base_url}/")
        for address in foreign.addresses():
            if address == "/_components":  # for developers, in English
                continue
            found += plain(page, address)
            if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
                found.append(f"{address}: longer words make it wider than a phone")
        page.goto("/?under=1")
        assert "21.000" in page.locator("#caches").inner_text()  # numbers as the language writes them
        assert pseudo.accented("The rows from before stay in use.") in page.locator("#caches .error").first.inner_text()
        page.goto("/logs")
        assert "1.234" in page.locator(".log .message").first.inner_text()
        page.goto(foreign.pages["transfer.look"][0])
        assert pseudo.accented("neither traktId nor spans says anything") in page.locator(".rows").first.inner_text()
    assert not found, "\n".join(dict.fromkeys(found))
