"""The plan of a preview: its rows, its dates, what is there already, what is never sent."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from tests import html
from tests.web.conftest import Browser
from tests.web.seed import NOW
from webapp import enqueue
from webapp.extensions import db
from webapp.models import Connection, Entry, MappingSource, Media, PlanItem, Run, User, utcnow
from webapp.views import plans


@pytest.fixture
def preview(small: Browser, site: Flask) -> int:
    """Title 16 with twelve episodes and movie 17."""
    with site.app_context():
        return int(db.session.scalars(select(Run.id).where(Run.preview)).one())


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Wishes for dates that were put on the queue; nobody works on them."""
    found: list[tuple[int, int]] = []

    def put(run_id: int, number: int) -> bool:
        found.append((run_id, number))
        return True

    monkeypatch.setattr(enqueue, "dates", put)
    monkeypatch.setattr(plans, "PATIENCE", 0.0)
    return found


def options(site: Flask, run_id: int) -> dict[str, Any]:
    with site.app_context():
        return dict(db.session.get_one(Run, run_id).options)


def change(site: Flask, table: Any, where: Any, **values: Any) -> None:
    with site.app_context():
        db.session.execute(update(table).where(where).values(**values))
        db.session.commit()


def test_the_heading_counts_plays_and_titles(small: Browser, site: Flask, preview: int) -> None:
    change(site, Run, Run.id == preview, result={"plays": {"episodes": 12, "movies": 1, "titles": 2}, "alreadySynced": 1204, "review": 3})  # fmt: skip
    text = small.get(f"/runs/{preview}")
    assert "<h1>12 episodes and 1 movie from 2 titles would be added to Trakt.</h1>" in text
    assert "1,204 episodes are there already. 3 titles need you. Nothing has been sent." in text


def test_the_button_says_what_it_sends(small: Browser, preview: int) -> None:
    text = small.get(f"/runs/{preview}")
    assert "Send 12 episodes and 1 movie</button>" in text
    assert 'data-send="Send {plays} plays"' in text


def test_without_trakt_the_plan_is_ready_and_the_next_step_stands_beside_it(small: Browser, site: Flask, preview: int) -> None:  # fmt: skip
    change(site, Connection, Connection.service == "trakt", state="disconnected")
    text = small.get(f"/runs/{preview}")
    assert "Your plan is ready: 12 episodes and 1 movie." in text
    button = next(one for one in html.check(text).named("button") if one.text.startswith("Send 12"))
    assert "disabled" in button.attrs


@pytest.mark.parametrize(
    ("placement", "word"),
    [({"source": "manual"}, "corrected"), ({"certainty": "likely"}, "to be confirmed"), ({}, "new")],
)
def test_each_row_says_what_is_special_about_it(small: Browser, site: Flask, preview: int, placement: dict[str, str], word: str) -> None:  # fmt: skip
    with site.app_context():
        row = db.session.scalars(select(Entry).where(Entry.anilist_id == 16)).one()
        row.placement = {**row.placement, **placement}
        db.session.commit()
    row_text = next(one.text for one in html.check(small.get(f"/runs/{preview}")).named("tr") if one.attrs.get("id") == "plan-16")  # fmt: skip
    assert word in row_text
    assert "Why?" in row_text


def test_other_dates_are_asked_for_and_the_plan_is_not_sent_meanwhile(small: Browser, site: Flask, preview: int, asked: list[tuple[int, int]]) -> None:  # fmt: skip
    assert small.post(f"/runs/{preview}/dates", {"date_rule": "released"}) == f"/runs/{preview}#plan-h"
    assert asked == [(preview, 1)]
    assert options(site, preview)["dating"]["rule"] == "released"
    text = small.get(f"/runs/{preview}")
    assert "The dates are being worked out." in text
    assert 'value="released" selected' in text
    small.post(f"/runs/{preview}/send", {"ticks": "2", "entries": ["16", "17"]})
    assert "The dates of this plan are being worked out; send it in a moment." in small.get(f"/runs/{preview}")
    small.post(f"/runs/{preview}/dates", {"date_rule": "unknown"})
    assert asked == [(preview, 1), (preview, 2)]


def test_new_dates_come_as_the_date_of_each_row_and_nothing_else(small: Browser, site: Flask, preview: int, asked: list[tuple[int, int]]) -> None:  # fmt: skip
    waiting = small.post(f"/runs/{preview}/dates", {"date_rule": "unknown"}, status=200, hx=True)
    assert "every 1s" in waiting
    assert "dates-16" not in waiting
    change(site, PlanItem, PlanItem.run_id == preview, watched_at=None, date_source="unknown")
    change(site, Run, Run.id == preview, options={"date_rule": "unknown"})
    text = small.get(f"/runs/{preview}/dates", hx=True)
    page = html.check(text)
    swapped = [one.attrs["id"] for one in page.elements if "hx-swap-oob" in one.attrs]
    assert swapped == ["crowd", "dates-16", "dates-17"]
    assert not page.named("table", "tr", "input[type=checkbox]")
    assert "every 1s" not in text
    assert "No date" in text


def test_a_wish_that_nobody_met_is_no_longer_waited_for(small: Browser, site: Flask, preview: int) -> None:
    old = (utcnow() - timedelta(minutes=2)).isoformat()
    change(site, Run, Run.id == preview, options={"dating": {"number": 1, "rule": "released", "day": None, "at": old}})
    text = small.get(f"/runs/{preview}")
    assert "being worked out" not in text
    assert 'value="activity" selected' in text
    assert small.post(f"/runs/{preview}/send") != f"/runs/{preview}"  # it is sent as it stands


def test_when_the_queue_is_away_the_dates_stay_and_the_page_says_so(small: Browser, site: Flask, preview: int) -> None:
    small.post(f"/runs/{preview}/dates", {"date_rule": "released"})
    assert "dating" not in options(site, preview)
    assert "The queue does not answer, so nothing was changed." in small.get(f"/runs/{preview}")


@pytest.mark.parametrize("data", [{"date_rule": "nonsense"}, {"date_rule": "now", "day": "yesterday"}, {}])
def test_dates_that_make_no_sense_are_refused(small: Browser, preview: int, data: dict[str, str]) -> None:
    small.post(f"/runs/{preview}/dates", data, status=400)


def test_only_the_dates_of_a_preview_change(small: Browser, site: Flask, hanako: int) -> None:
    with site.app_context():
        run = Run(user_id=hanako, mode="full", trigger="page", status="succeeded", finished_at=NOW)
        db.session.add(run)
        db.session.commit()
        run_id = run.id
    small.post(f"/runs/{run_id}/dates", {"date_rule": "released"})
    assert "Only a preview can be sent." in small.get(f"/runs/{run_id}")


def crowd(site: Flask, hanako: int, preview: int, titles: int) -> None:
    """So many titles of the plan were completed on one day."""
    with site.app_context():
        for number in range(9001, 9001 + titles):
            db.session.add(Media(anilist_id=number, title_romaji=f"Title {number}", fetched_at=NOW))
            db.session.add(PlanItem(run_id=preview, user_id=hanako, anilist_id=number, episode=1, kind="movie", trakt_id=number, watched_at=NOW, date_source="completed"))  # fmt: skip
        db.session.flush()
        for number in range(9001, 9001 + titles):
            db.session.add(Entry(user_id=hanako, account_id="anilist-1", anilist_id=number, status="COMPLETED", progress=1, completed_at="2020-01-05", seen_at=NOW, pile="placed", kind="movie", trakt_id=number, placement={"kind": "movie", "spans": []}))  # fmt: skip
        db.session.commit()


def test_an_import_is_noticed_and_release_dates_are_proposed_for_it(small: Browser, site: Flask, hanako: int, preview: int, asked: list[tuple[int, int]]) -> None:  # fmt: skip
    crowd(site, hanako, preview, 51)
    text = small.get(f"/runs/{preview}")
    assert "51 titles share one completion day, 5 Jan 2020, which looks like an import." in text
    small.post(f"/runs/{preview}/dates", {"date_rule": "released", "day": "2020-01-05"})
    wish = options(site, preview)["dating"]
    assert (wish["rule"], wish["day"]) == ("released", "2020-01-05")
    assert 'value="activity" selected' in small.get(f"/runs/{preview}")


def test_fifty_titles_on_one_day_are_no_import_yet(small: Browser, site: Flask, hanako: int, preview: int) -> None:
    crowd(site, hanako, preview, 50)
    assert "looks like an import" not in small.get(f"/runs/{preview}")


def test_what_is_there_already_is_folded_and_can_be_looked_at(small: Browser, site: Flask, hanako: int, preview: int) -> None:  # fmt: skip
    change(site, Run, Run.id == preview, result={"alreadySynced": 1204})
    with site.app_context():
        db.session.add(Media(anilist_id=8000, title_romaji="All there", fetched_at=NOW))
        db.session.flush()
        db.session.add(Entry(user_id=hanako, account_id="anilist-1", anilist_id=8000, status="COMPLETED", progress=12, seen_at=NOW, pile="placed", kind="show", trakt_id=1, placement={"kind": "show", "spans": []}))  # fmt: skip
        db.session.commit()
    assert "Already there: 1204 episodes" in small.get(f"/runs/{preview}").replace("1,204", "1204")
    for text in (small.get(f"/runs/{preview}/there", hx=True), small.get(f"/runs/{preview}/there")):
        assert "All there" in text
        assert "Title 16" not in text


def test_a_title_is_never_sent_from_its_row_and_that_is_taken_back(small: Browser, site: Flask, preview: int) -> None:
    text = small.post(f"/runs/{preview}/plan/16/never", status=200, hx=True)
    assert "You said never to send this title." in text
    assert 'type="checkbox"' not in text
    text = small.post(f"/runs/{preview}/plan/16/never", {"back": "1"}, status=200, hx=True)
    assert 'name="entries" value="16"' in text
    assert small.post(f"/runs/{preview}/plan/16/never") == f"/runs/{preview}#plan-16"
    with site.app_context():
        assert db.session.scalars(select(Entry.choice).where(Entry.anilist_id == 16)).one() == "never"
    assert 'name="entries" value="16"' not in small.get(f"/runs/{preview}")


def test_only_titles_of_the_plan_are_decided_there(small: Browser, preview: int) -> None:
    small.post(f"/runs/{preview}/plan/1/never", status=404)
    small.post("/runs/9999/plan/16/never", status=404)


def test_while_the_first_preview_is_made_the_set_up_says_so(small: Browser, site: Flask, hanako: int) -> None:
    with site.app_context():
        db.session.execute(update(Run).values(status="cancelled"))
        db.session.get_one(User, hanako).hand_consent_at = None
        run = Run(user_id=hanako, mode="full", trigger="page", preview=True, status="running", started_at=NOW)
        db.session.add(run)
        db.session.commit()
        run_id = run.id
    here, elsewhere = small.get(f"/runs/{run_id}"), small.get("/help")
    assert "Step 4 of 5: the plan is being made" in here
    assert "Watch it" not in here
    assert "Watch it" in elsewhere


def test_a_long_plan_shows_its_first_titles_and_sends_all_that_is_not_unticked(small: Browser, site: Flask, hanako: int, preview: int) -> None:  # fmt: skip
    crowd(site, hanako, preview, 70)
    text = small.get(f"/runs/{preview}")
    page = html.check(text)
    boxes = [one.attrs["value"] for one in page.named("input") if one.attrs.get("name") == "entries"]
    (rest,) = [one.attrs for one in page.named("input") if one.attrs.get("name") == "rest"]
    assert (len(boxes), len(rest["value"].split(",")), rest["data-entries"], rest["data-plays"]) == (25, 47, "47", "47")
    assert "47 more titles are in this plan and go out with it." in text
    small.post(f"/runs/{preview}/send", {"ticks": "72", "entries": boxes[1:], "rest": rest["value"]})
    with site.app_context():
        sent = db.session.scalars(select(Run).where(Run.parent_id == preview)).one()
        assert set(sent.options["entries"]) == {int(one) for one in (*boxes[1:], *rest["value"].split(","))}
    small.post(f"/runs/{preview}/send", {"ticks": "72"})  # "Tick all" taken away: the rest is not sent along
    assert "Nothing is ticked, so nothing was sent." in small.get(f"/runs/{preview}")
    (shown,) = [one.attrs["value"] for one in page.named("input") if one.attrs.get("name") == "shown"]
    assert shown.split(",") == boxes
    new = html.check(small.get(f"/runs/{preview}/dates?shown={shown}", hx=True))
    assert [one.attrs["id"] for one in new.elements if "hx-swap-oob" in one.attrs] == [
        "crowd",
        *(f"dates-{one}" for one in boxes),
    ]
    assert small.get(f"/runs/{preview}/dates", hx=True).count('id="dates-') == 72
    whole = small.get(f"/runs/{preview}?all=1")
    assert 'name="shown" value=""' in whole
    assert whole.count('name="entries"') == 72
    assert 'name="rest"' not in whole


def test_a_long_plan_without_unticking_is_sent_as_a_whole(small: Browser, site: Flask, hanako: int, preview: int) -> None:  # fmt: skip
    crowd(site, hanako, preview, 70)
    page = html.check(small.get(f"/runs/{preview}"))
    boxes = [one.attrs["value"] for one in page.named("input") if one.attrs.get("name") == "entries"]
    (rest,) = [one.attrs["value"] for one in page.named("input") if one.attrs.get("name") == "rest"]
    small.post(f"/runs/{preview}/send", {"ticks": "72", "entries": boxes, "rest": rest})
    with site.app_context():
        assert db.session.scalars(select(Run).where(Run.parent_id == preview)).one().options["entries"] is None


def test_the_set_up_looks_again_by_itself_only_while_the_caches_fill(small: Browser, site: Flask, hanako: int) -> None:
    with site.app_context():
        db.session.get_one(User, hanako).hand_consent_at = None
        db.session.commit()
    assert "every 3s" not in small.get("/help")
    change(site, MappingSource, MappingSource.name == "otaku", rows_kept=0)
    text = small.get("/help")
    assert "Step 3 of 5: fill the mapping caches" in text
    assert "run-ended from:body, every 3s" in text


@pytest.mark.parametrize("path", ["/", "/history", "/mappings", "/help"])
def test_the_step_of_the_set_up_stays_when_it_looks_again_on_whichever_page(small: Browser, site: Flask, hanako: int, path: str) -> None:  # fmt: skip
    with site.app_context():
        db.session.get_one(User, hanako).hand_consent_at = None
        db.session.commit()
    change(site, MappingSource, MappingSource.name == "otaku", rows_kept=0)
    (step,) = [one.attrs for one in html.check(small.get(path)).named("aside") if one.attrs.get("id") == "step"]
    again = small.get(step["hx-get"], hx=True)
    assert 'id="step"' in again
    assert "Step 3 of 5: fill the mapping caches" in again
    assert "every 3s" in again
    change(site, MappingSource, MappingSource.name == "otaku", rows_kept=10)
    filled = small.get(step["hx-get"], hx=True)
    assert "Step 3" not in filled
    assert "every 3s" not in filled
    with site.app_context():
        db.session.get_one(User, hanako).hand_consent_at = NOW
        db.session.commit()
    assert not small.get(step["hx-get"], hx=True).strip()
