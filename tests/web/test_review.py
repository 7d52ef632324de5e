"""Needs you and History: what a person sees, decides, and takes back, without a script."""

from __future__ import annotations

import html
import json
import re
import zlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from jobs.records import Reason
from tests.web.conftest import Browser, counted
from tests.web.seed import NOW
from webapp import decisions, enqueue, words
from webapp.extensions import db
from webapp.models import (
    Decision,
    Entry,
    EntrySpan,
    LookUp,
    Mapping,
    Media,
    PlayRow,
    Run,
    TraktPicture,
    TraktShow,
    User,
    utcnow,
)

Rows = Callable[..., list[Any]]
SPANS = [{"from": 1, "to": 12, "season": 2, "start": 1}]


@pytest.fixture(autouse=True)
def _queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enqueue, "run", lambda _row: True)


@pytest.fixture
def quiet(site: Flask, small: Browser) -> Browser:
    """The small library without runs that are open or wait for approval; the show has its seasons."""
    with site.app_context():
        db.session.execute(
            update(Run)
            .where(Run.status.in_(("queued", "running", "waiting", "needs_approval")))
            .values(status="cancelled")
        )
        seasons = {str(s): [[n, s * 100 + n, "2012-04-07T15:00:00Z", f"Episode {n}", 24] for n in range(1, 14)] for s in range(4)}  # fmt: skip
        db.session.execute(update(TraktShow).where(TraktShow.trakt_id == 70_000).values(seasons=seasons))
        db.session.commit()
    return small


@pytest.fixture
def rows(site: Flask) -> Rows:
    def look(table: Any, **values: Any) -> list[Any]:
        with site.app_context():
            return list(db.session.scalars(select(table).filter_by(**values).order_by(table.id)))

    return look


def change(site: Flask, anilist_id: int, **values: Any) -> None:
    with site.app_context():
        db.session.execute(update(Entry).where(Entry.anilist_id == anilist_id).values(**values))
        db.session.commit()


def card(page: str, anilist_id: int) -> str:
    found = re.search(rf'<article[^>]*id="entry-{anilist_id}".*?</article>', page, re.DOTALL)
    assert found, f"no card for {anilist_id}"
    return html.unescape(found[0])


def use(anilist_id: int = 1, season: int = 3, **more: Any) -> tuple[str, dict[str, Any]]:
    return f"/review/{anilist_id}/use", {"kind": "show", "trakt_id": "70000", "spans": f"1-12:{season}:1", **more}


def take_back(browser: Browser, page: str = "") -> str:
    """Press the "Take back" that stands on top."""
    page = page or browser.get("/review")
    action = re.search(r'data-state="ok" aria-label="Decided last".*?name="action" value="(\w+)"', page, re.DOTALL)
    assert action, "nothing to take back"
    return browser.post("/review/take-back", {"action": action[1]})


# What a card says


def test_each_candidate_is_drawn_with_its_evidence_in_plain_words(quiet: Browser) -> None:
    text = card(quiet.get("/review"), 1)
    assert "Where does Title 1 go?" in text
    assert "You watched 12 episodes." in text
    assert "Two sources disagree:" in text
    assert text.count('aria-label="13 episodes; 1-12 would be yours."') == 2
    assert "Fribbs says season 2. Trakt lists 13 episodes there, the first of them aired 7 Apr 2012." in text
    assert re.findall(r'data-key="(\w)"', text) == ["1", "2", "n", "x"]
    assert "trakt_shape" not in text
    for label in ("Use this", "Another place", "Not on Trakt", "Never send", "Skip"):
        assert label in text


def test_those_watched_most_come_first_and_pages_follow(quiet: Browser, site: Flask) -> None:
    change(site, 5, progress=900)
    page = quiet.get("/review")
    assert page.index('id="entry-5"') < page.index('id="entry-1"')
    with site.app_context():
        for number in range(500, 530):
            entry = db.session.scalar(select(Entry).where(Entry.anilist_id == 1))
            assert entry is not None
            db.session.add(Media(anilist_id=number, format="TV", title_romaji=f"More {number}", search_text="", fetched_at=NOW))  # fmt: skip
            db.session.flush()
            db.session.add(Entry(user_id=entry.user_id, account_id="anilist-1", anilist_id=number, status="COMPLETED", progress=1, seen_at=NOW, pile="needs_you", reason="season_unknown", placement=entry.placement))  # fmt: skip
        db.session.commit()
    assert "40 titles to decide" in quiet.get("/review")
    ids = [
        re.findall(r'<article[^>]* id="entry-(\d+)"', quiet.get(f"/review?offset={offset}"))
        for offset in range(0, 40, 5)
    ]
    assert [len(page) for page in ids] == [5] * 8
    assert sorted(int(one) for page in ids for one in page) == [*range(1, 11), *range(500, 530)]
    for at in (5, 4, 517, 529):
        assert f'id="entry-{at}"' in quiet.get(f"/review?at={at}"), at
    assert 'href="/review?offset=10">Skip' in quiet.get("/review?offset=5")  # of the last card: to the next page
    for other in ("16", "999", "x"):  # needs nobody, is not known, is no number
        assert quiet.get(f"/review?at={other}").count("<article") == 5
    quiet.get("/review?offset=400", status=302)
    for nonsense in ("-1", "x", "9" * 30):
        quiet.get(f"/review?offset={nonsense}")


def test_only_real_decisions_count(quiet: Browser, site: Flask, rows: Rows) -> None:
    assert '<b class="count">10<' in quiet.get("/help")
    change(site, 1, progress=0, status="CURRENT")
    change(site, 2, choice="ignored")
    change(site, 3, gone_at=NOW)
    assert '<b class="count">7<' in quiet.get("/help")
    assert "7 titles to decide" in quiet.get("/review")
    with site.app_context():
        db.session.execute(update(Run).where(Run.id == rows(Run)[0].id).values(status="needs_approval", reason="first_run"))  # fmt: skip
        db.session.commit()
    assert '<b class="count">8<' in quiet.get("/help")
    page = quiet.get("/review")
    assert "first automatic run" in page
    assert f'href="/runs/{rows(Run)[0].id}"' in page


def test_every_reason_that_asks_for_a_place_has_its_lead(words_app: Flask) -> None:
    about = {"above_episodes", "trakt_refused", "misplaced"}  # these ask for no place
    asks = {"sources_disagree", "special_unconfirmed", "season_unknown", "past_the_end", "claimed_by_other", "length_unknown", "wrong_kind"}  # fmt: skip
    worn = {"not_on_trakt", "not_listed_yet", "still_airing"}  # of what a person chose, or waited for a month
    assert set(words.LEADS) == asks | worn
    assert asks | worn | about <= {reason.value for reason in Reason}
    with words_app.test_request_context():
        assert all(words.sentence("lead", code).endswith(":") for code in words.LEADS)


def test_the_queries_of_the_page_do_not_grow_with_its_cards(quiet: Browser, site: Flask) -> None:
    with counted(site) as many:
        quiet.get("/review")
    for number in range(2, 11):
        change(site, number, choice="never")
    with counted(site) as few:
        quiet.get("/review")
    assert len(many) == len(few)


def test_who_stands_at_a_place_already_is_named(quiet: Browser, site: Flask) -> None:
    change(site, 19, choice="never")
    text = card(quiet.get("/review"), 1)
    assert "Title 16 stands there already." in text
    assert "12 belong to other titles." in text  # at the other place


# Deciding


def test_a_choice_is_kept_with_who_and_when_and_shows_on_the_title(quiet: Browser, rows: Rows) -> None:
    address, data = use(next="2", offset="0")
    assert quiet.post(address, data) == "/review#entry-2"
    (mapping,) = rows(Mapping, anilist_id=1)
    assert (mapping.source, mapping.updated_by, mapping.trakt_id) == ("manual", "hanako", 70_000)
    (made,) = rows(Decision, anilist_id=1)
    assert (made.what, made.decided_by, made.taken_back_at) == ("place", "hanako", None)
    page = quiet.get("/review")
    assert 'id="entry-1"' not in page
    assert "9 titles to decide" in page
    assert "Season 3, 1-12" in page
    assert re.search(r"by hanako", quiet.get("/mappings/1"))
    assert rows(Run, mode="single", anilist_id=1)


def test_a_second_click_decides_nothing_twice(quiet: Browser, rows: Rows) -> None:
    for _ in range(3):
        quiet.post(*use())
    assert len(rows(Decision)) == 1
    assert len(rows(Mapping, anilist_id=1)) == 1
    take_back(quiet)
    assert rows(Mapping, anilist_id=1) == []
    assert 'id="entry-1"' in quiet.get("/review")


def test_another_choice_from_an_old_page_does_not_replace_the_first(quiet: Browser, rows: Rows) -> None:
    quiet.post(*use(season=3))
    quiet.post(*use(season=2))
    assert "was decided in the meantime" in quiet.get("/review")
    assert [span.season for span in rows(EntrySpan, anilist_id=1)] == [3]
    quiet.post("/review/1/aside", {"choice": "never"})
    assert "was decided in the meantime" in quiet.get("/review")
    assert rows(Entry, anilist_id=1)[0].choice is None


def test_a_candidate_that_changed_in_between_is_named_and_changes_nothing(
    quiet: Browser, site: Flask, rows: Rows
) -> None:
    placement = rows(Entry, anilist_id=1)[0].placement
    change(site, 1, placement={**placement, "candidates": placement["candidates"][:1]})
    assert quiet.post(*use(season=3)) == "/review?at=1#entry-1"
    assert "no longer among the choices" in quiet.get("/review")
    assert rows(Mapping, anilist_id=1) == []
    assert rows(Decision) == []


@pytest.mark.parametrize(("choice", "said"), [("ignored", "put aside"), ("never", "never sent")])
def test_a_title_is_put_aside_once_and_taken_back(quiet: Browser, rows: Rows, choice: str, said: str) -> None:
    for _ in range(2):
        assert quiet.post("/review/1/aside", {"choice": choice, "next": "2"}) == "/review#entry-2"
    assert (rows(Entry, anilist_id=1)[0].choice, rows(Entry, anilist_id=1)[0].choice_by) == (choice, "hanako")
    assert len(rows(Decision)) == 1
    assert said in quiet.get("/review")
    assert take_back(quiet) == "/review?at=1#entry-1"
    assert rows(Entry, anilist_id=1)[0].choice is None
    assert "asks again" in quiet.get("/review")


def test_siblings_are_decided_and_taken_back_together(quiet: Browser, site: Flask, rows: Rows) -> None:
    placement = rows(Entry, anilist_id=1)[0].placement
    for number, season in ((1, 3), (2, 1)):
        candidate = {**placement["candidates"][0], "spans": [{**SPANS[0], "season": season}]}
        change(site, number, kind="show", trakt_id=70_000, placement={**placement, "anilist_id": number, "candidates": [candidate]})  # fmt: skip
    text = card(quiet.get("/review"), 1)
    assert "The same for Title 2?" in text
    offered = re.search(r'name="also" value="([^"]+)"', text)
    assert offered
    assert offered[1] == "2/show:70000:1-12:1:1"
    quiet.post(*use(also=[offered[1]]))
    assert [(span.anilist_id, span.season) for span in rows(EntrySpan) if span.anilist_id < 3] == [(1, 3), (2, 1)]
    assert len({made.action for made in rows(Decision)}) == 1
    assert "1 more" in quiet.get("/review")
    take_back(quiet)
    assert [span for span in rows(EntrySpan) if span.anilist_id < 3] == []
    assert {'id="entry-1"' in quiet.get("/review"), 'id="entry-2"' in quiet.get("/review")} == {True}


def test_a_sibling_that_has_no_such_place_any_more_still_asks(quiet: Browser, rows: Rows) -> None:
    quiet.post(*use(also=["2/show:70000:1-12:9:1", "nonsense", "0/show:1:"]))
    assert "1 other title has no such place any more" in quiet.get("/review")
    assert len(rows(Decision)) == 1
    assert 'id="entry-2"' in quiet.get("/review")


def test_siblings_that_would_take_the_same_episodes_are_not_offered_together(quiet: Browser, site: Flask) -> None:
    for number in (1, 2):
        change(site, number, kind="show", trakt_id=70_000)
    assert "The same for" not in quiet.get("/review")


def test_what_was_changed_since_is_not_taken_back(quiet: Browser, rows: Rows) -> None:
    quiet.post(*use())
    page = quiet.get("/review")
    data = {"kind": "show", "trakt_id": "70000", "first-0": "1", "season-0": "1", "start-0": "1"}
    quiet.post("/mappings/1/spans", data)
    take_back(quiet, page)
    assert "was changed since" in quiet.get("/review")
    assert [span.season for span in rows(EntrySpan, anilist_id=1)] == [1]


def test_taking_back_restores_an_older_correction(quiet: Browser, rows: Rows) -> None:
    data = {"kind": "show", "trakt_id": "70000", "first-0": "1", "season-0": "1", "start-0": "1"}
    quiet.post("/mappings/1/spans", data)
    quiet.post(*use())
    take_back(quiet)
    (span,) = rows(EntrySpan, anilist_id=1)
    assert (span.first, span.last, span.season, span.start) == (1, None, 1, 1)
    assert len(rows(Mapping, anilist_id=1)) == 1


def test_a_decision_is_taken_back_once_and_only_by_its_person(quiet: Browser, site: Flask, rows: Rows) -> None:
    quiet.post(*use())
    action = rows(Decision)[0].action
    with site.app_context():
        other = User(username="taro", password_hash="unusable")
        db.session.add(other)
        db.session.commit()
        assert decisions.take_back(other, action).titles == []
    quiet.post("/review/take-back", {"action": action})
    quiet.post("/review/take-back", {"action": action})
    assert "taken back already" in quiet.get("/review")
    quiet.post("/review/take-back", {"action": "no such"})


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("/review/1/aside", {"choice": "nonsense"}),
        ("/review/99999999999999999999/aside", {"choice": "never"}),
        ("/review/1/move", {"do": "nonsense"}),
        ("/history/send-again", {}),
        ("/history/send-again", {"title": "x"}),
    ],
)
def test_what_no_page_would_send_is_refused(quiet: Browser, path: str, data: dict[str, str]) -> None:
    assert quiet.client.post(path, data={"csrf_token": quiet.token(), **data}).status_code in (400, 404)


def test_what_was_decided_before_is_fetched_when_it_is_opened(quiet: Browser) -> None:
    assert "/review/decided" not in quiet.get("/review")
    assert "Nothing here any more" in quiet.get("/review/decided")
    quiet.post("/review/1/aside", {"choice": "never"})
    quiet.post("/review/2/aside", {"choice": "ignored"})
    assert 'hx-get="/review/decided"' in quiet.get("/review")
    text = quiet.get("/review/decided", hx=True)
    assert text.index("Title 2") < text.index("Title 1")
    assert text.count(">Take back<") == 2


# Misplaced


def misplaced(site: Flask) -> None:
    """Entry 10 was sent to season 1, 1-12; its place now is season 2."""
    placement = {"anilist_id": 10, "kind": "show", "trakt_id": 70_000, "spans": SPANS, "source": "fribbs", "rule": "source", "reason": "Fribbs says season 2.", "open": []}  # fmt: skip
    change(site, 10, reason="misplaced", kind="show", trakt_id=70_000, placement=placement)
    with site.app_context():
        user_id = db.session.scalar(select(Entry.user_id))
        for episode in range(1, 13):
            db.session.add(PlayRow(user_id=user_id, source_account="anilist-1", anilist_id=10, episode=episode, target_account="trakt-1", kind="episode", trakt_id=70_000, season=1, number=episode, state="sent", watched_at=NOW, sent_at=NOW))  # fmt: skip
        db.session.commit()


def test_a_place_that_changed_says_what_moving_does(quiet: Browser, site: Flask, rows: Rows) -> None:
    misplaced(site)
    text = card(quiet.get("/review?at=10"), 10)
    assert "12 plays stand elsewhere. They will be added at their new place first" in text
    assert "Season 2, 1-12" in text
    assert "Season 1, 1-12" in text
    place = re.search(r'name="place" value="([^"]+)"', text)
    assert place
    to = quiet.post("/review/10/move", {"do": "move", "place": place[1]})
    assert to == f"/runs/{rows(Run, mode='move', anilist_id=10)[0].id}"


def test_a_move_to_a_place_that_changed_again_is_not_begun(quiet: Browser, site: Flask, rows: Rows) -> None:
    misplaced(site)
    assert quiet.post("/review/10/move", {"do": "move", "place": "show:70000:1-12:3:1"}) == "/review?at=10#entry-10"
    assert "The place changed again" in quiet.get("/review")
    assert rows(Run, mode="move", anilist_id=10) == []


def test_a_move_is_taken_back_by_moving_the_plays_to_where_they_stood(quiet: Browser, site: Flask, rows: Rows) -> None:
    misplaced(site)
    place = re.search(r'name="place" value="([^"]+)"', card(quiet.get("/review?at=10"), 10))
    assert place
    for _twice in range(2):
        quiet.post("/review/10/move", {"do": "move", "place": place[1]})
    assert "the plays move to their new place." in quiet.get("/review/decided")
    (made,) = rows(Decision, anilist_id=10, what="move")
    assert made.before["stood"] == {"kind": "show", "trakt_id": 70_000, "spans": [[1, None, 1, 1]]}
    quiet.post(
        "/review/take-back", {"action": made.action}
    )  # too early: nothing is decided while plays are on their way
    assert "still on the move" in quiet.get("/review")
    assert rows(EntrySpan, anilist_id=10) == []
    (first,) = rows(Run, mode="move", anilist_id=10)
    with site.app_context():
        db.session.execute(update(Run).where(Run.id == first.id).values(status="succeeded"))
        db.session.commit()
    to = quiet.post("/review/take-back", {"action": made.action})
    (span,) = rows(EntrySpan, anilist_id=10)
    assert (span.first, span.last, span.season, span.start) == (1, None, 1, 1)
    (second,) = [run for run in rows(Run, mode="move", anilist_id=10) if run.id != first.id]
    assert (to, second.status) == (f"/runs/{second.id}", "queued")
    assert "Taken back. The plays go back to where they stood" in quiet.get("/review")
    quiet.post("/review/take-back", {"action": made.action})
    assert "This was taken back already." in quiet.get("/review")
    assert len(rows(Run, mode="move", anilist_id=10)) == 2


def test_a_move_after_which_the_place_was_corrected_is_not_taken_back(quiet: Browser, site: Flask, rows: Rows) -> None:
    misplaced(site)
    quiet.post("/mappings/10/move", {"do": "move"})
    (made,) = rows(Decision, anilist_id=10, what="move")
    with site.app_context():
        db.session.execute(update(Run).where(Run.mode == "move").values(status="succeeded"))
        db.session.add(EntrySpan(user_id=made.user_id, anilist_id=10, first=1, season=3, start=1))
        db.session.commit()
    quiet.post("/review/take-back", {"action": made.action})
    assert "1 title was changed since, so it stays as it is." in quiet.get("/review")
    assert len(rows(Run, mode="move", anilist_id=10)) == 1


def test_plays_that_are_kept_make_their_place_a_correction(quiet: Browser, site: Flask, rows: Rows) -> None:
    misplaced(site)
    quiet.post("/review/10/move", {"do": "keep", "next": ""})
    (span,) = rows(EntrySpan, anilist_id=10)
    assert (span.first, span.last, span.season, span.start) == (1, None, 1, 1)  # later episodes follow
    assert 'id="entry-10"' not in quiet.get("/review?at=10") + quiet.get("/review?offset=5")
    quiet.post("/review/10/move", {"do": "keep"})
    assert "was decided in the meantime" in quiet.get("/review")
    take_back(quiet)
    assert rows(EntrySpan, anilist_id=10) == []
    assert 'id="entry-10"' in quiet.get("/review?at=10")


# The other piles


def test_a_whole_format_is_ignored_and_taken_back_in_one_action(quiet: Browser, rows: Rows) -> None:
    assert 'hx-get="/review/no-match"' in quiet.get("/review")
    page = quiet.get("/review/no-match")
    assert page.count("<html") == 1
    assert "<html" not in quiet.get("/review/no-match", hx=True)
    assert "Ignore all of these" in page
    assert "next looked at" in page
    quiet.post("/review/ignore", {"format": "TV"})
    assert [entry.choice for entry in rows(Entry, pile="no_match")] == ["ignored", "ignored", None]
    take_back(quiet)
    assert [entry.choice for entry in rows(Entry, pile="no_match")] == [None] * 3
    quiet.post("/review/ignore", {"format": "OVA"})
    assert "nothing left to put aside" in quiet.get("/review")


def test_what_waits_says_for_what_and_until_when(quiet: Browser, site: Flask, rows: Rows) -> None:
    waiting = rows(Entry, pile="waiting")[0]
    part = {"first": 11, "last": 12, "pile": "waiting", "reason": "not_listed_yet", "due_at": None}
    change(site, waiting.anilist_id, waiting_since=utcnow() - timedelta(days=3), placement={"anilist_id": waiting.anilist_id, "open": [part]})  # fmt: skip
    page = quiet.get("/review/waiting")
    assert "Episodes 11 to 12 of" in page
    assert "comes to you" in page


# History


def test_history_is_filtered_by_title_and_run_and_names_the_zone(quiet: Browser, rows: Rows) -> None:
    play = rows(PlayRow, state="gone")[0]
    page = quiet.get(f"/history?title=16&run={play.run_id}")
    assert "Only Title 16" in page
    assert f"Only run {play.run_id}" in page
    assert "Times are yours, in" in page
    assert "No play fits" in quiet.get("/history?title=1")
    assert "No play fits" in quiet.get("/history?run=99999")
    for nonsense in ("title=x", "title=0", "run=-1", "before=x", "state=nonsense", "title=99999999999999999999"):
        quiet.get(f"/history?{nonsense}")


def test_plays_of_one_title_and_run_are_one_line_with_each_play_inside(quiet: Browser, site: Flask) -> None:
    misplaced(site)
    page = html.unescape(quiet.get("/history?title=10"))
    assert "12 plays: episodes 1-12 → Attack on Titan Season 1, 1-12." in page
    assert "Each play" in page
    assert page.index("Episode 1 → Attack on Titan Season 1, 1.") < page.index("Episode 12 → Attack on Titan")


@pytest.mark.parametrize("which", ["title", "run"])
def test_all_that_is_on_hold_of_a_title_or_a_run_is_sent_again_once(quiet: Browser, rows: Rows, which: str) -> None:
    held = rows(PlayRow, state="gone")[0]
    assert 'hx-get="/history/held"' in quiet.get("/history?state=hold")
    page = quiet.get("/history/held")
    assert 'form="again" name="title" value="16"' in quiet.get("/history/held", hx=True)
    assert "Send all plays of Title 16 again" in page
    assert f"Send all plays of run {held.run_id} again" in page
    value = 16 if which == "title" else held.run_id
    to = quiet.post("/history/send-again", {which: value})
    (run,) = [run for run in rows(Run, status="queued") if run.mode == "title"]
    assert to == f"/runs/{run.id}"
    assert [play.held for play in rows(PlayRow) if play.state in ("gone", "removed", "rejected")] == [False] * 3
    assert quiet.post("/history/send-again", {which: value}) == "/history?state=hold"
    assert "Nothing is held back here" in quiet.get("/history?state=hold")
    assert "Send again" not in quiet.get("/history?state=hold")
    assert "Nothing is on hold." in quiet.get("/history/held")


def test_what_stood_on_trakt_before_is_named_with_its_day(quiet: Browser, site: Flask, rows: Rows) -> None:
    content = {"shows": {"70000": {"2": {"1": [1, "2023-03-12T18:00:00Z"], "4": [2, None], "3": [1, None]}}}, "movies": {}}  # fmt: skip
    with site.app_context():
        user_id = db.session.scalar(select(Entry.user_id))
        db.session.add(TraktPicture(user_id=user_id, account_id="trakt-1", began_at=NOW, finished_at=NOW, activities={}, content=zlib.compress(json.dumps(content).encode())))  # fmt: skip
        db.session.execute(update(PlayRow).values(trakt_id=70_000))
        db.session.commit()
    page = quiet.get("/history?title=16")
    assert "2 episodes were there already" in page
    assert (
        "Already there: watched on 12 Mar 2023, 19:00 CET." in page or "Already there: watched on 12 Mar 2023" in page
    )
    assert "Already there, without a date. 2 plays." in page
    assert "They were not sent again." in page
    assert "How did they get there?" in page


def test_how_a_play_got_there_is_asked_of_trakt_and_named(quiet: Browser, site: Flask, rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    content = {"shows": {"70000": {"2": {"1": [1, "2023-03-12T18:00:00Z"]}}}, "movies": {}}
    with site.app_context():
        user_id = db.session.scalar(select(Entry.user_id))
        db.session.add(TraktPicture(user_id=user_id, account_id="trakt-1", began_at=NOW, finished_at=NOW, activities={}, content=zlib.compress(json.dumps(content).encode())))  # fmt: skip
        db.session.execute(update(PlayRow).values(trakt_id=70_000))
        db.session.commit()

    def answer(look_up_id: int) -> bool:
        said = [{"season": 2, "number": 1, "at": at, "action": action} for at, action in (("2023-03-12T18:00:00Z", "scrobble"), ("2020-01-01T00:00:00Z", "watch"))]  # fmt: skip
        db.session.execute(update(LookUp).where(LookUp.id == look_up_id).values(state="answered", answer=[said]))
        db.session.commit()
        return True

    monkeypatch.setattr(enqueue, "look_up", answer)
    to = quiet.post("/history/how", {"title": "16"})
    assert [row.question for row in rows(LookUp)] == [{"parts": [{"history": "show", "traktId": 70_000}]}]
    page = quiet.get(to.partition("#")[0])
    assert re.search(r"Already there: watched on 12 Mar 2023, [\d:]+ \S+, by a scrobbler\.", page)
    assert "How did they get there?" not in page
    quiet.post("/history/how", {"title": "999999"}, status=404)


def test_when_trakt_cannot_be_asked_how_the_page_says_why(quiet: Browser, site: Flask, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    content = {"shows": {"70000": {"2": {"9": [1, None]}}}, "movies": {}}
    with site.app_context():
        user_id = db.session.scalar(select(Entry.user_id))
        db.session.add(TraktPicture(user_id=user_id, account_id="trakt-1", began_at=NOW, finished_at=NOW, activities={}, content=zlib.compress(json.dumps(content).encode())))  # fmt: skip
        db.session.commit()
    monkeypatch.setattr(enqueue, "look_up", lambda _look_up_id: False)
    page = quiet.get(quiet.post("/history/how", {"title": "16"}).partition("#")[0])
    assert "Trakt does not answer." in page
    assert "How did they get there?" in page
