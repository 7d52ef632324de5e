"""Whatever a browser or a stranger sends to the pages: no 5xx, and what is refused has written nothing."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.web.conftest import Browser
from webapp import enqueue, lookups
from webapp.config import ROOT, Config

EXAMPLES = 12  # of each page and method
LEFT_OUT = ("static", "api_", "logout")  # files; tested with their token in tests/api; would sign the browser out
SOURCES = [ROOT / "webapp" / "oauth.py", *sorted((ROOT / "webapp" / "views").glob("*.py"))]
FIELD = re.compile(r"""(?:form|args|request\.form|values)(?:\.get|\.getlist|\.\w+)?\(\s*"(\w+)"|\["(\w+)"\]""")
TEXTS = st.one_of(
    st.sampled_from(
        ["", "0", "-1", "1", "16", "21", "true", "on", "send", "keep", "move", "repair", "x" * 3000, "\x00", "１２", "9" * 400,
         str(2**53), str(2**63), "1e9", "NaN", "../../etc/passwd", "<script>", "%s%(x)s", "{{7*7}}", "2024-02-30", "\ud7ff", "🎌",
         "https://anilist.co/anime/1", "https://trakt.tv/shows/frieren", "javascript:alert(1)", "full", "never", "preview"]
    ),
    st.text(max_size=40),
    st.integers(-(2**70), 2**70).map(str),
)  # fmt: skip


def field_names() -> list[str]:
    """Every name that a view or a template asks for."""
    names: set[str] = set()
    for file in SOURCES:
        names.update(name for pair in FIELD.findall(file.read_text(encoding="utf-8")) for name in pair if name)
    for file in sorted((ROOT / "templates").rglob("*.html")):
        names.update(re.findall(r'\bname="(\w+)"', file.read_text(encoding="utf-8")))
    return sorted(names - {"csrf_token"})


NAMES = field_names()
FORMS = st.dictionaries(st.sampled_from(NAMES), st.one_of(TEXTS, st.lists(TEXTS, max_size=3)), max_size=8)


@pytest.fixture(autouse=True)
def no_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("run", "cache", "connection_check", "look_up"):
        monkeypatch.setattr(enqueue, name, lambda *_given: True)
    monkeypatch.setattr(lookups, "PATIENCE", 0.0)


@pytest.fixture
def written(config: Config) -> Iterator[sqlite3.Connection]:
    """A second connection, whose data_version rises whenever somebody else has committed a change."""
    with closing(sqlite3.connect(config.database_url.removeprefix("sqlite:///"))) as connection:
        yield connection


def rules(app: Flask, method: str) -> list[Any]:
    return [
        rule
        for rule in app.url_map.iter_rules()
        if method in (rule.methods or ())
        and not any(part in rule.endpoint for part in LEFT_OUT)
        and not rule.rule.startswith("/api/")
    ]


def address(data: st.DataObject, rule: Any) -> str:
    """The rule's path with anything that its converters may be asked for."""
    path = str(rule.rule)
    for converter, name in re.findall(r"<(?:(\w+):)?(\w+)>", path):
        values = (
            st.sampled_from(["0", "1", "16", str(2**53), str(2**53 + 1), str(2**70)]) if converter == "int" else TEXTS
        )
        text = data.draw(values, label=name).replace("/", "").encode("utf-8", "ignore").decode() or "x"
        path = path.replace(f"<{converter}:{name}>" if converter else f"<{name}>", quote(text, safe=""))
    return path


def send(browser: Browser, written: sqlite3.Connection, data: st.DataObject, rule: Any, method: str) -> None:
    path, given_fields = address(data, rule), data.draw(FORMS, label="fields")
    headers = data.draw(
        st.sampled_from([{}, {"HX-Request": "true"}, {"Accept-Language": "x" * 500}, {"Cookie": "a=\xff"}])
    )
    before = written.execute("PRAGMA data_version").fetchone()
    if method == "GET":
        answer = browser.client.get(path, query_string=given_fields, headers=headers, base_url=browser.base_url)
    else:
        fields = {"csrf_token": browser.token(), **given_fields}
        answer = browser.client.post(path, data=fields, headers=headers, base_url=browser.base_url)
    assert answer.status_code < 500, f"{method} {path} {given_fields}: {answer.status_code}"
    if method == "GET" or answer.status_code >= 400:
        after = written.execute("PRAGMA data_version").fetchone()
        assert after == before, f"{method} {path}: {answer.status_code}, and yet something was written"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_input_breaks_a_page(site: Flask, small: Browser, written: sqlite3.Connection, method: str) -> None:
    found = rules(site, method)

    @settings(max_examples=EXAMPLES * len(found), deadline=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def try_it(data: st.DataObject) -> None:
        send(small, written, data, data.draw(st.sampled_from(found), label="rule"), method)

    try_it()


def test_the_names_that_are_tried_are_those_that_the_forms_have() -> None:
    assert {"statuses", "date_rule", "anilist_id", "code", "entries", "pause"} <= set(NAMES)
    assert Path(SOURCES[0]).exists()


def test_an_id_that_no_column_can_hold_is_not_found(small: Browser) -> None:
    for number in (2**53 + 1, 2**63, 2**70):
        small.get(f"/mappings/{number}", status=404)
        small.get(f"/runs?before={number}")  # a number that makes no sense is as good as none
