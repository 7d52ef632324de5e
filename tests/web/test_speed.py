"""What keeps the pages quick: no page asks the database more often when there is more to show."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask, url_for
from jinja2 import FileSystemBytecodeCache
from markupsafe import Markup

from tests.big_library import Library
from tests.web.addresses import LEFT_OUT, PAGES, addresses, unnamed
from tests.web.conftest import Browser, counted
from webapp.addresses import address
from webapp.app import create_app
from webapp.config import load
from webapp.extensions import db
from webapp.i18n import template_gettext, template_ngettext

MOST = 30  # queries of one page


def queries_of_all_pages(
    folder: Path, compiled: FileSystemBytecodeCache, password_hash: str, titles: int, database_url: str | None = None
) -> dict[str, int]:
    """By endpoint and form of the address, in a library of this size. Every one of them must be shown."""
    database = database_url or f"sqlite:///{folder}/{titles}.db"
    app = create_app(load({"DATA_DIR": str(folder), "DATABASE_URL": database, "SECRET_KEY": "s" * 40}))
    app.jinja_env.bytecode_cache = compiled
    with app.app_context():
        db.create_all()
        known = Library(password_hash, titles=titles, plays=titles * 5, logs=titles * 2, runs=titles // 4).fill()
        db.session.remove()
    browser = Browser(app).sign_in()
    names = [f"{endpoint} {path}" for endpoint, paths in PAGES.items() for path in paths]
    found = {}
    for name, one in zip(names, addresses(known), strict=True):
        browser.client.get(one.path, headers=one.headers)  # what is kept in memory is kept from here on
        with counted(app) as statements:
            answer = browser.client.get(one.path, headers=one.headers)
        assert answer.status_code in (200, 204, 286), f"{one}: {answer.status_code}"
        found[name] = len(statements)
    with app.app_context():
        db.engine.dispose()
    return found


def test_no_page_asks_more_often_when_there_is_more_to_show(tmp_path: Path, compiled: FileSystemBytecodeCache, password_hash: str) -> None:  # fmt: skip
    few = queries_of_all_pages(tmp_path, compiled, password_hash, 60)
    many = queries_of_all_pages(tmp_path, compiled, password_hash, 600)
    assert many == few
    assert max(many.values()) <= MOST


@pytest.mark.postgres
def test_every_page_is_shown_with_postgresql_too(
    tmp_path: Path, compiled: FileSystemBytecodeCache, password_hash: str, postgres_url: str
) -> None:
    found = queries_of_all_pages(tmp_path, compiled, password_hash, 60, postgres_url)
    assert max(found.values()) <= MOST


def test_every_page_and_fragment_of_the_app_is_counted(words_app: Flask) -> None:
    assert unnamed(words_app) == set()
    endpoints = {rule.endpoint for rule in words_app.url_map.iter_rules()}
    assert PAGES.keys() | LEFT_OUT.keys() <= endpoints


@pytest.mark.parametrize("root", ["", "/tsuzuki", "/100%/a"])
def test_addresses_of_rows_are_those_of_flask(words_app: Flask, root: str) -> None:
    values: list[tuple[str, dict[str, object]]] = [
        ("home.show", {}),
        ("mappings.entry", {"anilist_id": 21}),
        ("mappings.entry", {"anilist_id": 0}),
        ("places.found", {"anilist_id": 21, "look_up_id": 2**53 - 1}),
        ("runs.log", {"run_id": 3, "after": 4}),
        ("runs.show", {"after": 4, "run_id": 3, "offset": 100}),
        ("runs.show", {"run_id": 3, "outcome": "sent & more"}),
        ("mappings.show", {"q": "100%", "offset": None}),
        ("history.show", {"before": 7, "_anchor": "day"}),
    ]
    with words_app.test_request_context("/", base_url="http://localhost", environ_overrides={"SCRIPT_NAME": root}):
        for endpoint, given in [*values, *values]:
            assert address(endpoint, **given) == url_for(endpoint, **given)  # type: ignore[arg-type]  # as Flask takes them
        assert address("mappings.entry", anilist_id=22).endswith("/mappings/22")


def test_an_address_with_another_number_is_another_address(words_app: Flask) -> None:
    with words_app.test_request_context("/"):
        assert [address("runs.log", run_id=n, after=n + 1) for n in (1, 2)] == ["/runs/1/log?after=2", "/runs/2/log?after=3"]  # fmt: skip


def test_values_of_a_text_are_escaped_and_the_text_is_markup(words_app: Flask) -> None:
    with words_app.test_request_context("/"):
        assert template_gettext("%(name)s is here", name="<b>") == Markup("&lt;b&gt; is here")
        assert template_gettext("%(name)s", name=Markup("<b>")) == Markup("<b>")
        assert template_ngettext("%(num)s of %(name)s", "%(num)s of all %(name)s", 2, name="&") == Markup("2 of all &amp;")  # fmt: skip
        assert template_gettext("100 %% sure") == Markup("100 % sure")
