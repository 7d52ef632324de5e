"""The history doctor's page: what was found, what would happen, and the run that does it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from markupsafe import escape
from sqlalchemy import select

from jobs.doctor import Cause
from tests.web.conftest import Browser, counted
from tests.web.seed import NOW
from webapp import enqueue, words
from webapp.extensions import db
from webapp.models import FINDING_STATES, HistoryFinding, Run, User


@pytest.fixture(autouse=True)
def no_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enqueue, "run", lambda _run: True)


def finding(user_id: int, number: int, **values: Any) -> HistoryFinding:
    given = {
        "user_id": user_id, "target_account": "t", "cause": "posted_again", "history_id": 900 + number, "kind": "episode",
        "trakt_id": 5, "season": 1, "number": number, "watched_at": NOW, "action": "watch", "title": "Frieren", "keeps": 800,
    }  # fmt: skip
    return HistoryFinding(**(given | values))


def add(site: Flask, *rows: Any) -> None:
    with site.app_context():
        db.session.add_all(rows)
        db.session.commit()


def all_findings(site: Flask) -> list[tuple[int, str, int | None]]:
    with site.app_context():
        rows = db.session.execute(select(HistoryFinding.number, HistoryFinding.state, HistoryFinding.repair_id))
        return sorted((row[0], row[1], row[2]) for row in rows)


def test_a_look_is_a_run_that_changes_nothing(site: Flask, browser: Browser) -> None:
    assert "Read my Trakt history" in browser.get("/history/repair")
    address = browser.post("/history/repair/look")
    with site.app_context():
        run = db.session.scalars(select(Run)).one()
    assert (run.mode, address) == ("doctor", f"/runs/{run.id}")
    assert "It is being read now." in browser.get("/history/repair")


def test_what_is_found_is_listed_by_title_and_likely_cause(site: Flask, hanako: int, browser: Browser) -> None:
    wrong = {"cause": "from_s1e1", "keeps": None, "anilist_id": 1, "episode": 2, "to_season": 1, "to_number": 26}
    add(site, finding(hanako, 1), finding(hanako, 2, **wrong), finding(hanako, 3, title="Bleach", trakt_id=6))
    page = browser.get("/history/repair")
    assert page.index("Bleach") < page.index("Frieren")
    assert "S1 E2 → S1 E26" in page
    assert len(re.findall(r'name="finding" value="\d+" checked', page)) == 2  # what may be a rewatch or no error is not
    for cause in ("posted_again", "from_s1e1"):
        assert escape(words.sentence("cause", cause)) in page


def test_nothing_is_done_before_the_person_has_seen_what_would_happen(
    site: Flask, hanako: int, browser: Browser
) -> None:
    add(site, finding(hanako, 1), finding(hanako, 2), finding(hanako, 3, to_season=1, to_number=27, keeps=None))
    ids = re.findall(r'name="finding" value="(\d+)"', browser.get("/history/repair"))
    page = browser.post("/history/repair", {"finding": ids[1:]}, status=200)
    assert "Remove 1 play and move 1?" in page
    assert all_findings(site) == [(1, "found", None), (2, "found", None), (3, "found", None)]
    address = browser.post("/history/repair", {"finding": ids[1:], "do": "repair"})
    with site.app_context():
        run = db.session.scalars(select(Run)).one()
    assert (run.mode, run.status, address) == ("repair", "queued", f"/runs/{run.id}")
    assert all_findings(site) == [(1, "found", None), (2, "chosen", run.id), (3, "chosen", run.id)]
    assert "Frieren S1 E2" in browser.get(address)


def test_one_group_can_be_chosen_whole_without_ticking(site: Flask, hanako: int, browser: Browser) -> None:
    add(site, finding(hanako, 1), finding(hanako, 2, trakt_id=6))
    page = browser.post("/history/repair", {"group": "episode-6-posted_again", "finding": ["1"]}, status=200)
    assert len(re.findall(r'name="finding"', page)) == 1
    assert "Remove 1 play?" in page


@pytest.mark.parametrize("data", [{}, {"finding": ["0", "x", "99999999999999999999"]}, {"group": "nothing"}])
def test_nothing_ticked_starts_nothing(site: Flask, hanako: int, browser: Browser, data: dict[str, Any]) -> None:
    add(site, finding(hanako, 1))
    browser.post("/history/repair", {**data, "do": "repair"})
    assert "Nothing was chosen" in browser.get("/history/repair")
    assert all_findings(site) == [(1, "found", None)]


def test_what_belongs_to_another_person_is_neither_shown_nor_touched(
    site: Flask, hanako: int, browser: Browser
) -> None:
    with site.app_context():
        other = User(username="other", password_hash="unusable")
        db.session.add(other)
        db.session.commit()
        other_id = other.id
    add(site, finding(other_id, 1))
    assert "Frieren" not in browser.get("/history/repair")
    browser.post("/history/repair", {"finding": ["1"], "do": "repair"})
    assert all_findings(site) == [(1, "found", None)]


def test_the_undo_of_a_repair_says_what_it_puts_back(site: Flask, hanako: int, browser: Browser) -> None:
    run = Run(user_id=hanako, mode="repair", trigger="page", status="succeeded", result={"removed": 2, "moved": 0})
    add(site, run)
    with site.app_context():
        run_id = db.session.scalars(select(Run.id)).one()
    add(site, *(finding(hanako, n, state="removed", repair_id=run_id) for n in (1, 2)))
    page = browser.get(f"/runs/{run_id}")
    assert "2 plays were removed." in page
    assert f"/runs/{run_id}/undo" in page
    assert "Put back the 2 plays that this run took away?" in browser.get(f"/runs/{run_id}/undo")
    browser.post(f"/runs/{run_id}/undo")
    with site.app_context():
        assert db.session.scalars(select(Run.mode).order_by(Run.id)).all() == ["repair", "undo"]


def test_a_thousand_findings_cost_no_more_queries_than_one(site: Flask, hanako: int, browser: Browser) -> None:
    add(site, finding(hanako, 1))
    with counted(site) as few:
        browser.get("/history/repair")
    add(site, *(finding(hanako, n, trakt_id=n % 40 + 1) for n in range(2, 1000)))
    with counted(site) as many:
        browser.get("/history/repair")
    assert len(many) == len(few)


def test_every_cause_and_state_has_its_words(words_app: Flask) -> None:
    with words_app.test_request_context():
        for cause in Cause:
            assert words.sentence("cause", cause) != str(words.UNKNOWN)
        for state in FINDING_STATES:
            assert words.sentence("finding", state) != str(words.UNKNOWN)
