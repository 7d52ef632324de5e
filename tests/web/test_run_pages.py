"""The page of a run: what was sent where or why not, files that are safe to open, what Trakt showed afterwards."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from tests.web.conftest import Browser
from tests.web.seed import NOW
from webapp import files
from webapp.extensions import db
from webapp.models import Log, Media, PlayRow, RequestCount, Run, RunItem, TraktPicture, utcnow


@pytest.fixture
def make(site: Flask, hanako: int) -> Any:
    """A run of the library, with some plays of title 16 and what is told of it."""

    def made(*, plays: int = 3, **values: Any) -> int:
        with site.app_context():
            known = {"mode": "full", "trigger": "page", "status": "succeeded", "started_at": NOW, "finished_at": NOW + timedelta(seconds=41), "plays_planned": plays, "plays_sent": plays, "result": {"added": {"episodes": plays, "movies": 0}}}  # fmt: skip
            run = Run(**{"user_id": hanako, **known, **values})
            db.session.add(run)
            db.session.flush()
            for number in range(1, plays + 1):
                db.session.add(PlayRow(user_id=hanako, source_account="anilist-2", anilist_id=16, episode=number, target_account="trakt-1", kind="episode", trakt_id=75_000, season=2, number=number + 12, state="sent", sent_at=NOW, attempt=1, claimed_at=NOW, run_id=run.id))  # fmt: skip
            db.session.add(RunItem(run_id=run.id, user_id=hanako, anilist_id=16, outcome="sent", wanted=plays, sent=plays))  # fmt: skip
            db.session.add(RequestCount(run_id=run.id, service="trakt", requests=9, waited_ms=2500))
            db.session.commit()
            return run.id

    return made


def test_the_heading_says_what_happened_and_what_it_took(small: Browser, make: Any) -> None:
    text = small.get(f"/runs/{make()}")
    assert "<h1>3 episodes are on Trakt.</h1>" in text
    assert "41 seconds, 9 requests." in text
    assert "waited 2 seconds for its turn" in text


def test_an_item_says_where_its_plays_went(small: Browser, make: Any) -> None:
    text = small.get(f"/runs/{make()}")
    assert "episodes 1-3 → Season 2, 13-15" in text
    assert "3 of 3 sent" in text


def test_an_item_that_was_not_sent_says_why_and_what_to_do(small: Browser, make: Any, site: Flask, hanako: int) -> None:
    run_id = make()
    with site.app_context():
        db.session.add(RunItem(run_id=run_id, user_id=hanako, anilist_id=1, outcome="needs_you", reason="sources_disagree"))  # fmt: skip
        db.session.add(RunItem(run_id=run_id, user_id=hanako, anilist_id=2, outcome="refused", reason="trakt_refused", rejected=1))  # fmt: skip
        db.session.commit()
    text = small.get(f"/runs/{run_id}")
    assert "The sources name different places." in text
    assert "/review?at=1#entry-1" in text
    assert 'aria-label="Send Title 2 again"' in text


def test_items_are_filtered_by_outcome(small: Browser, make: Any, site: Flask, hanako: int) -> None:
    run_id = make()
    with site.app_context():
        db.session.add(RunItem(run_id=run_id, user_id=hanako, anilist_id=1, outcome="no_match", reason="no_id"))
        db.session.commit()
    text = small.get(f"/runs/{run_id}?outcome=no_match")
    assert "/mappings/1" in text
    assert "/mappings/16" not in text


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"at": "2026-11-20T12:02:00Z", "plays": 3, "there": 3}, "all 3 are there."),
        ({"at": "2026-11-20T12:02:00Z", "plays": 3, "there": 2}, "2 of 3 are there. The next run looks into the others."),
    ],
)  # fmt: skip
def test_a_run_says_what_was_read_back(small: Browser, make: Any, said: dict[str, Any], expected: str) -> None:
    run_id = make(result={"added": {"episodes": 3, "movies": 0}, "readBack": said})
    text = small.get(f"/runs/{run_id}")
    assert expected in text
    assert "<h1>3 episodes are on Trakt.</h1>" in text
    assert ("We read them back. 41 seconds" in " ".join(text.split())) == (said["there"] == 3)


def test_a_run_says_when_it_will_be_read_back(small: Browser, make: Any, site: Flask, hanako: int) -> None:
    run_id = make()
    with site.app_context():
        db.session.add(TraktPicture(user_id=hanako, account_id="trakt-1", began_at=NOW, finished_at=NOW, read_again_at=utcnow() + timedelta(minutes=1), content=b"", activities={}))  # fmt: skip
        db.session.commit()
    assert "We read back what is on Trakt at" in small.get(f"/runs/{run_id}")


def test_progress_says_how_quick_it_is_and_how_long_it_takes(
    small: Browser, make: Any, site: Flask, hanako: int
) -> None:
    run_id = make(plays=10, status="running", finished_at=None, phase="posting", total=40, attempt=1)
    with site.app_context():
        for row in db.session.scalars(select(PlayRow).where(PlayRow.run_id == run_id)):
            row.claimed_at = utcnow() - timedelta(seconds=60)
        db.session.commit()
    text = small.get(f"/runs/{run_id}")
    assert "10 of 40." in text
    assert "10 plays a minute." in text
    assert "About 3 minutes left." in text
    assert "<h1>Sending to Trakt</h1>" in text


def test_the_progress_that_polls_brings_the_heading_along(small: Browser, make: Any) -> None:
    run_id = make()
    answer = small.client.get(f"/runs/{run_id}/progress")
    assert answer.status_code == 286
    assert 'id="head" class="page-head" hx-swap-oob="true"' in answer.text
    assert f"/runs/{run_id}/undo" in answer.text


def test_what_a_run_did_can_be_kept_as_a_file(small: Browser, make: Any) -> None:
    run_id = make()
    found = json.loads(small.get(f"/runs/{run_id}/items.json"))
    assert found["items"] == [
        {"anilistId": 16, "title": "Title 16", "outcome": "sent", "reason": None, "wanted": 3, "sent": 3, "already": 0, "rejected": 0, "places": ["1-3 to S2 E13-15"], "kind": "plays", "value": None}
    ]  # fmt: skip
    text = small.get(f"/runs/{run_id}/items.csv")
    assert small.last is not None
    assert small.last.headers["Content-Disposition"] == f'attachment; filename="tsuzuki-run-{run_id}.csv"'
    assert next(csv.DictReader(io.StringIO(text)))["places"] == "1-3 to S2 E13-15"


def test_a_preview_as_a_file_does_not_say_that_anything_was_sent(small: Browser, make: Any) -> None:
    run_id = make(plays=0, preview=True)
    assert [row["outcome"] for row in json.loads(small.get(f"/runs/{run_id}/items.json"))["items"]] == ["new"]


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@SUM(1)", "\t=1", "＝1"])
def test_a_title_never_becomes_a_formula(small: Browser, make: Any, site: Flask, name: str) -> None:
    run_id = make()
    with site.app_context():
        db.session.get_one(Media, 16).title_romaji = name
        db.session.commit()
    cell = next(csv.DictReader(io.StringIO(small.get(f"/runs/{run_id}/items.csv"))))["title"]
    assert cell == f"'{name}"


def test_a_plain_text_stays_as_it_is_in_a_file() -> None:
    assert files.as_csv(["a", "b"], [{"a": "Title 1", "b": -1}]).splitlines()[1] == "Title 1,-1"


def test_a_file_of_somebody_else_is_not_there(small: Browser) -> None:
    small.get("/runs/9999/items.json", status=404)


def test_a_long_log_shows_its_newest_lines_and_leads_to_all(small: Browser, make: Any, site: Flask, hanako: int) -> None:  # fmt: skip
    run_id = make()
    with site.app_context():
        db.session.add_all([Log(user_id=hanako, run_id=run_id, level="info", message=f"line {n}.") for n in range(150)])
        db.session.commit()
    text = small.get(f"/runs/{run_id}")
    assert "line 149." in text
    assert "line 100." in text
    assert "line 99." not in text
    assert text.index("line 100.") < text.index("line 149.")
    assert f'href="/logs?run={run_id}&amp;level=debug"' in text
