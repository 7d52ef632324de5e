"""The page of all components: there in debug, and all of the components are on it."""

from __future__ import annotations

import re

from tests.web.conftest import Browser
from webapp.app import create_app
from webapp.config import ROOT, Config

# Words within a sentence, parts of other components, and what belongs to the frame of every page.
NOT_ON_ITS_OWN = {
    "icon", "mark", "nav_item", "error", "flashes", "toasts", "history_tabs", "on_trakt",
}  # fmt: skip
# The reference of the API: its panels are headed by a method and a path.
BY_HAND = {("api/docs.html", "panel"), ("api/docs.html", "table")}


def test_the_page_of_components_is_there_in_debug_only(config: Config, small: Browser) -> None:
    small.get("/_components", status=404)
    app = create_app(config.replace(LOG_LEVEL="debug"))
    debug = Browser(app).sign_in()
    page = debug.get("/_components")
    assert page.count('class="ask"') == 1
    assert debug.post("/_components") == "/_components"


def test_every_component_is_on_it() -> None:
    macros = set(re.findall(r"{% macro (\w+)\(", (ROOT / "templates/_macros.html").read_text("utf-8")))
    shown = set(re.findall(r"\bui\.(\w+)\(", (ROOT / "templates/components/show.html").read_text("utf-8")))
    assert macros - shown == NOT_ON_ITS_OWN


def test_what_a_component_is_for_is_written_by_it_alone() -> None:
    by_hand = re.compile(r'class="[^"]*\b(panel|badge|empty|ask)\b|<(progress|table)\b')
    folder = ROOT / "templates"
    found = {
        (str(path.relative_to(folder)), said[1] or said[2])
        for path in folder.rglob("*.html")
        for said in by_hand.finditer(path.read_text("utf-8"))
        if path.name != "_macros.html"
    }
    assert found - BY_HAND == set()
