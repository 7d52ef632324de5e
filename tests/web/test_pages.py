"""Every page, with nothing, little and much to show."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.web.conftest import Browser, counted
from tests.web.seed import seed_more
from webapp.extensions import db
from webapp.models import Run

PAGES = [
    "/", "/sync", "/runs", "/history", "/history?q=title", "/history?state=hold", "/history?q=nothing-fits", "/logs", "/logs?level=error", "/mappings",
    "/mappings?q=english", "/mappings?state=needs_you&sort=title", "/mappings?state=manual", "/mappings?q=nothing-fits", "/mappings/progress",
    "/manual", "/review", "/settings", "/settings/connections", "/help",
]  # fmt: skip
OF_A_LIBRARY = ["/mappings/1", "/mappings/10", "/mappings/16", "/mappings/17", "/mappings/18", "/mappings/16/place"]
FRAGMENTS = ["/", "/history", "/mappings", "/caches", "/changes", "/logs?after=0"]


def run_ids(site: Flask) -> list[int]:
    with site.app_context():
        return list(db.session.scalars(db.select(Run.id)))


def test_every_page_is_well_made_when_there_is_nothing_to_show(browser: Browser) -> None:
    for path in PAGES:
        browser.get(path)


def test_every_page_is_well_made_with_a_library(small: Browser) -> None:
    for path in (*PAGES, *OF_A_LIBRARY):
        assert "no words for this" not in small.get(path), path


@pytest.mark.parametrize("path", FRAGMENTS)
def test_a_fragment_is_no_whole_page(small: Browser, path: str) -> None:
    text = small.get(path, hx=True)
    assert "<html" not in text
    assert small.last is not None
    assert "HX-Request" in small.last.headers["Vary"]


def test_every_run_has_its_page_progress_and_log(small: Browser, site: Flask) -> None:
    for run_id in run_ids(site):
        text = small.get(f"/runs/{run_id}")
        assert "no words for this" not in text
        assert small.client.get(f"/runs/{run_id}/progress").status_code in (200, 286)
        assert small.client.get(f"/runs/{run_id}/log?after=0").status_code in (200, 204, 286)


def test_the_number_of_queries_does_not_grow_with_the_rows(site: Flask, hanako: int, small: Browser) -> None:
    paths = [*PAGES, *OF_A_LIBRARY, f"/runs/{max(run_ids(site))}"]
    few = queries_of(site, small, paths)
    with site.app_context():
        seed_more(hanako, range(1, 8))
    many = queries_of(site, small, paths)
    assert many == few
    assert max(many.values()) <= 40


def queries_of(site: Flask, browser: Browser, paths: list[str]) -> dict[str, int]:
    found = {}
    for path in paths:
        with counted(site) as statements:
            browser.get(path)
        found[path] = len(statements)
    return found


def test_an_unknown_page_run_or_title_is_a_404_page(browser: Browser) -> None:
    for path in (
        "/nothing",
        "/runs/999",
        "/mappings/999",
        "/mappings/99999999999999999999",
        "/runs/999/log",
        "/runs/999/progress",
    ):
        assert "Nothing is here" in browser.get(path, status=404)
