"""The report of the first preview, on its page and as a picture that stands alone."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import pytest
from flask import Flask

from tests.web.conftest import Browser
from tests.web.seed import NOW
from webapp.extensions import db
from webapp.models import Entry, Media, Run, TraktShow, User
from webapp.pictures import shortened
from webapp.report import from_the_start

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def preview(small: Browser, site: Flask, hanako: int) -> int:
    """Title 16 stands in season 2 of a show with two; nothing was ever sent."""
    with site.app_context():
        show = db.session.get_one(TraktShow, 70_000)
        show.seasons = {str(season): [[n, n, None, None, 24] for n in range(1, 13)] for season in (1, 2)}
        db.session.get_one(User, hanako).hand_consent_at = None
        kept = {"episodes": 4061, "movies": 2, "waiting": 3, "asking": 12, "unmatched": 1, "notOnTrakt": 7, "wrong": 1310, "cases": [{"anilistId": 16, "watched": 12, "wrong": 12}]}  # fmt: skip
        run = Run(user_id=hanako, mode="full", trigger="page", preview=True, status="succeeded", started_at=NOW, finished_at=NOW, result={"report": kept})  # fmt: skip
        db.session.add(run)
        db.session.commit()
        return run.id


def svg(browser: Browser, run_id: int) -> ET.Element:
    return ET.fromstring(browser.get(f"/runs/{run_id}/report.svg"))  # noqa: S314 # our own picture


def test_the_first_preview_opens_with_the_numbers_of_the_person(small: Browser, preview: int) -> None:
    text = small.get(f"/runs/{preview}")
    for number in ("4,061", "15", "7", "1,310"):
        assert f"<dd>{number}</dd>" in text
    assert "3 for Trakt to list them, 12 for you" in text
    assert "<details open>" in " ".join(text.split())


def test_a_case_is_drawn_with_its_text_alternative(small: Browser, preview: int) -> None:
    text = small.get(f"/runs/{preview}")
    assert 'aria-label="12 episodes; 1-12 would be yours."' in text
    assert 'aria-label="12 episodes, none of them yours. Counted from S1E1, yours would stand on 1-12."' in text


def test_the_picture_stands_alone_and_says_the_same(small: Browser, preview: int) -> None:
    picture = svg(small, preview)
    assert small.last is not None
    assert small.last.mimetype == "image/svg+xml"
    assert small.last.headers["Content-Disposition"] == 'attachment; filename="tsuzuki-report.svg"'
    words = [(element.text or "").strip() for element in picture.iter(f"{SVG}text")]
    assert {"4,061", "1,310", "Title 16", "1-12 of 12", "1-12 by mistake"} <= set(words)
    assert picture.find(f"{SVG}desc") is not None
    names = {element.tag.removeprefix(SVG) for element in picture.iter()}
    assert names <= {"svg", "title", "desc", "defs", "pattern", "rect", "path", "text", "g"}
    values = [value for element in picture.iter() for name, value in element.items() if name != "xmlns"]
    assert not [value for value in values if "http" in value]


@pytest.mark.parametrize("change", [{"private": True}, {"hidden": True}])
def test_a_title_that_became_private_is_in_no_picture(small: Browser, preview: int, site: Flask, change: dict[str, Any]) -> None:  # fmt: skip
    with site.app_context():
        for name, value in change.items():
            setattr(db.session.query(Entry).filter_by(anilist_id=16).one(), name, value)
        db.session.commit()
    assert "Title 16" not in ET.tostring(svg(small, preview), encoding="unicode")
    assert "clearest" not in small.get(f"/runs/{preview}")


def test_a_title_with_markup_in_it_stays_text(small: Browser, preview: int, site: Flask) -> None:
    with site.app_context():
        db.session.get_one(Media, 16).title_romaji = "<script>alert(1)</script> & more"
        db.session.commit()
    assert any("<script>" in (element.text or "") for element in svg(small, preview).iter(f"{SVG}text"))


def test_without_any_case_there_are_the_numbers(small: Browser, preview: int, site: Flask) -> None:
    with site.app_context():
        run = db.session.get_one(Run, preview)
        run.result = {"report": {**run.result["report"], "cases": []}}
        db.session.commit()
    assert len(list(svg(small, preview).iter(f"{SVG}g"))) == 4
    assert "<dd>4,061</dd>" in small.get(f"/runs/{preview}")


def test_other_runs_have_no_report(small: Browser, site: Flask, hanako: int) -> None:
    with site.app_context():
        run = Run(user_id=hanako, mode="full", trigger="page", status="succeeded", started_at=NOW, finished_at=NOW, result={})  # fmt: skip
        db.session.add(run)
        db.session.commit()
        run_id = run.id
    small.get(f"/runs/{run_id}/report.svg", status=404)
    assert "Your library, placed" not in small.get(f"/runs/{run_id}")


def test_counting_from_the_start_goes_on_over_seasons_and_gaps() -> None:
    seasons = {"0": [[1]], "1": [[1], [2], [4]], "2": [[1], [2]]}
    assert from_the_start(seasons, 4) == [
        {"from": 1, "to": 2, "season": 1, "start": 1},
        {"from": 3, "to": 3, "season": 1, "start": 4},
        {"from": 4, "to": 4, "season": 2, "start": 1},
    ]


@pytest.mark.parametrize(
    ("text", "short"), [("Short", "Short"), ("x" * 60, "x" * 45 + "…"), ("進" * 30, "進" * 22 + "…")]
)
def test_a_long_title_fits_on_its_line(text: str, short: str) -> None:
    assert shortened(text) == short
