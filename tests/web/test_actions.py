"""What pages do: each action without a script, and what it leaves in the database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from tests.web.conftest import Browser
from tests.web.seed import NOW
from webapp import enqueue
from webapp.extensions import db
from webapp.models import Connection, Entry, EntrySpan, Log, Mapping, PlayRow, Run, SystemConfig, User, utcnow

Find = Callable[..., Any]


@pytest.fixture(autouse=True)
def queue(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """What would be put on a queue."""
    put: list[tuple[str, int]] = []

    def run(row: Run) -> bool:
        put.append((enqueue.queue_of(row), row.id))
        return True

    def cache(number: int) -> bool:
        put.append(("cache", number))
        return True

    monkeypatch.setattr(enqueue, "run", run)
    monkeypatch.setattr(enqueue, "cache", cache)
    return put


@pytest.fixture
def find(site: Flask) -> Find:
    """The newest row of a table that fits."""

    def look(table: Any, **values: Any) -> Any:
        with site.app_context():
            query = select(table).filter_by(**values)
            query = query.order_by(table.id.desc()) if hasattr(table, "id") else query
            return db.session.scalar(query.limit(1))

    return look


@pytest.fixture
def quiet(site: Flask, small: Browser) -> Browser:
    """The small library without open runs, so that commands start runs of their own."""
    with site.app_context():
        for run in db.session.scalars(select(Run).where(Run.status.in_(("queued", "running", "waiting")))):
            run.status = "cancelled"
        db.session.commit()
    return small


# Sync


@pytest.mark.parametrize(
    ("data", "queue_name", "mode", "preview"),
    [
        ({"mode": "full", "do": "preview"}, "refresh", "full", True),
        ({"mode": "full", "do": "send"}, "sync", "full", False),
        ({"mode": "completed", "do": "send"}, "sync", "completed", False),
        ({"mode": "watching", "do": "preview"}, "refresh", "watching", True),
        (
            {"mode": "title", "do": "preview", "anilist_id": "https://anilist.co/anime/16/Shingeki"},
            "light",
            "title",
            True,
        ),
    ],
)
def test_a_button_of_the_sync_page_starts_a_run(
    quiet: Browser,
    find: Find,
    queue: list[tuple[str, int]],
    data: dict[str, str],
    queue_name: str,
    mode: str,
    preview: bool,
) -> None:
    address = quiet.post("/sync", data)
    run = find(Run)
    assert (run.mode, run.preview, run.trigger, run.status) == (mode, preview, "page", "queued")
    assert address == f"/runs/{run.id}"
    assert queue == [(queue_name, run.id)]
    quiet.get(address)


def test_a_second_press_joins_the_run_that_is_under_way(quiet: Browser) -> None:
    first = quiet.post("/sync", {"mode": "full", "do": "send"})
    assert quiet.post("/sync", {"mode": "full", "do": "send"}) == first
    assert "under way already" in quiet.get(first)


@pytest.mark.parametrize(
    "data",
    [
        {"mode": "title", "do": "send", "anilist_id": "x"},
        {"mode": "title", "do": "send"},
        {"mode": "x", "do": "send"},
        {"mode": "full", "do": "x"},
    ],
)
def test_a_bad_wish_says_so_and_starts_nothing(
    quiet: Browser, queue: list[tuple[str, int]], data: dict[str, str]
) -> None:
    assert 'role="alert"' in quiet.post("/sync", data, status=422)
    assert queue == []


# Runs


def test_ticks_of_a_preview_are_what_is_sent(quiet: Browser, find: Find) -> None:
    preview = find(Run, preview=True)
    page = quiet.get(f"/runs/{preview.id}")
    assert "episodes 1-12 → Season 2, 1-12" in page
    quiet.post(f"/runs/{preview.id}/send", {"ticks": "2", "entries": ["16"]})
    run = find(Run)
    assert (run.parent_id, run.options, run.mode) == (preview.id, {"entries": [16]}, "full")
    assert f"sent by run {run.id}" in quiet.get(f"/runs/{preview.id}")


def test_all_ticks_mean_the_whole_preview(quiet: Browser, find: Find) -> None:
    preview = find(Run, preview=True)
    quiet.post(f"/runs/{preview.id}/send", {"ticks": "2", "entries": ["16", "17"]})
    assert find(Run).options == {"entries": None}


def test_no_tick_sends_nothing(quiet: Browser, find: Find, queue: list[tuple[str, int]]) -> None:
    preview = find(Run, preview=True)
    assert quiet.post(f"/runs/{preview.id}/send", {"ticks": "2"}) == f"/runs/{preview.id}"
    assert "Nothing is ticked" in quiet.get(f"/runs/{preview.id}")
    assert queue == []


def test_a_plan_that_waits_is_approved_or_put_away(site: Flask, quiet: Browser, find: Find) -> None:
    with site.app_context():
        run = Run(user_id=1, mode="watching", trigger="cron", status="needs_approval", reason="first_run")
        db.session.add(run)
        db.session.commit()
        run_id = run.id
    assert "Approve" in quiet.get(f"/runs/{run_id}")
    quiet.post(f"/runs/{run_id}/approve")
    assert find(Run, id=run_id).status == "queued"
    quiet.post(f"/runs/{run_id}/cancel")
    assert find(Run, id=run_id).status == "cancelled"
    quiet.post(f"/runs/{run_id}/cancel")
    assert "had ended already" in quiet.get(f"/runs/{run_id}")


@pytest.mark.parametrize("reason", ["first_run", "over_brake", "plays_vanished"])
def test_a_run_that_waits_for_a_person_shows_what_it_would_do(quiet: Browser, find: Find, reason: str) -> None:
    run = find(Run, reason=reason)
    text = quiet.get(f"/runs/{run.id}")
    assert "Approve and send" in text
    assert "2 titles, 13 plays" in text
    assert ("60 plays that we sent are not there any more." in text) == (reason == "plays_vanished")
    assert ("48 plays" in text and "And 12 plays of other titles." in text) == (reason == "plays_vanished")


@pytest.mark.parametrize(
    ("service", "says"),
    [
        ("trakt", "your whole list is compared with what taro has"),
        ("anilist", "the list of taro is read from the beginning"),
    ],
)
def test_another_account_is_named_with_what_a_yes_means(
    site: Flask, quiet: Browser, find: Find, service: str, says: str
) -> None:
    with site.app_context():
        changed = {"pending_account_id": "another", "pending_account_name": "taro", "account_name": "kenji"}
        db.session.execute(update(Connection).where(Connection.service == service).values(**changed))
        db.session.commit()
    text = quiet.get(f"/runs/{find(Run, reason='account_changed').id}")
    assert "kenji before, taro now." in text
    assert says in text


def test_undo_asks_first(quiet: Browser, find: Find) -> None:
    sent = find(PlayRow, state="sent").run_id
    assert f'href="/runs/{sent}/undo"' in quiet.get(f"/runs/{sent}")
    assert "Remove the 1 play that this run added?" in quiet.get(f"/runs/{sent}/undo")
    quiet.post(f"/runs/{sent}/undo")
    run = find(Run)
    assert (run.mode, run.parent_id) == ("undo", sent)


def test_what_is_on_hold_is_sent_again_by_play_title_and_run(quiet: Browser, find: Find) -> None:
    gone = find(PlayRow, state="gone")
    page = quiet.get("/history?state=hold")
    assert f'form="again" name="play" value="{gone.id}"' in page
    assert page.count('action="/history/send-again"') == 1  # for all buttons
    quiet.post("/history/send-again", {"play": gone.id})
    assert find(PlayRow, id=gone.id).held is False
    quiet.post("/mappings/16/send-again")
    assert find(PlayRow, state="removed").held is False
    quiet.post(f"/runs/{gone.run_id}/send-again")
    assert "Nothing is held back" in quiet.get(f"/runs/{gone.run_id}")
    assert quiet.post("/history/send-again", {"play": 99999}) == "/history?state=hold"


@pytest.mark.parametrize("action", ["send", "approve", "cancel", "undo", "send-again", "dates"])
def test_a_run_that_is_not_there_is_a_404(quiet: Browser, action: str) -> None:
    answer = quiet.client.post(f"/runs/9999/{action}", data={"csrf_token": quiet.token(), "date_rule": "now"})
    assert answer.status_code == 404 or (action == "send-again" and answer.status_code == 303)


def test_progress_polls_while_the_run_is_open_and_stops_with_an_event(small: Browser, find: Find) -> None:
    running, ended = find(Run, status="running"), find(Run, status="partial")
    text = small.get(f"/runs/{running.id}/progress")
    assert "every 2s" in text
    assert 'max="37" value="10"' in text
    text = small.get(f"/runs/{ended.id}/progress", status=286)
    assert "every" not in text
    assert small.last is not None
    assert "run-ended" in small.last.headers["HX-Trigger"]


def test_the_log_of_a_run_goes_on_from_a_cursor(site: Flask, small: Browser, find: Find) -> None:
    running = find(Run, status="running")
    with site.app_context():
        db.session.add_all([Log(user_id=1, run_id=running.id, level="info", message=f"Line {n}") for n in range(3)])
        db.session.commit()
    text = small.get(f"/runs/{running.id}/log?after=0")
    last = find(Log, run_id=running.id).id
    assert text.index("Line 0") < text.index("Line 2")
    assert f"after={last}" in text
    small.get(f"/runs/{running.id}/log?after={last}", status=204)
    ended = find(Run, status="partial")
    small.get(f"/runs/{ended.id}/log?after=0", status=286)


def test_quiet_checks_are_folded(small: Browser) -> None:
    assert "3 checks, nothing new" in small.get("/runs")


def test_every_play_of_a_title_in_a_plan_can_be_seen(small: Browser, find: Find) -> None:
    preview = find(Run, preview=True)
    text = small.get(f"/runs/{preview.id}/plan/16")
    assert "S2 E12" in text
    assert "<html" not in small.get(f"/runs/{preview.id}/plan/16", hx=True)
    small.get(f"/runs/{preview.id}/plan/1", status=404)


# Logs


def test_the_log_shows_late_lines_once(site: Flask, browser: Browser) -> None:
    def write(line_id: int, text: str) -> None:
        with site.app_context():
            db.session.add(Log(id=line_id, user_id=1, level="info", message=text, created_at=utcnow()))
            db.session.commit()

    write(10, "first")
    write(12, "third")
    page = browser.get("/logs")
    assert "after=12" in page
    assert "seen=10,12" in page or "seen=10%2C12" in page
    browser.get("/logs?after=12&seen=10,12", hx=True, status=204)
    write(11, "second, committed late")
    text = browser.get("/logs?after=12&seen=10,12", hx=True)
    assert "second, committed late" in text
    assert "first" not in text
    assert "after=12" in text
    assert "seen=10-12" in text


def test_old_lines_are_not_shown_again(site: Flask, browser: Browser) -> None:
    with site.app_context():
        old = utcnow() - timedelta(minutes=1)
        db.session.add_all([Log(user_id=1, level="info", message="old", created_at=old) for _ in range(3)])
        db.session.commit()
    browser.get("/logs?after=3", hx=True, status=204)
    assert "old" in browser.get("/logs?after=2", hx=True)


# Titles


def test_the_search_finds_every_title_and_synonym(small: Browser) -> None:
    for words in ("title 16", "in english 16", "進撃の巨人 16", "SNK 16", "16"):
        assert "Title 16" in small.get(f"/mappings?q={words}"), words
    assert "No title fits" in small.get("/mappings?q=100%25")
    assert "Title 16" in small.get("/history?q=english")


def test_a_mapping_by_hand_is_kept_with_who_and_when_and_looked_at(
    small: Browser, find: Find, queue: list[tuple[str, int]]
) -> None:
    data = {"anilist_id": "1", "trakt_id": "70000", "kind": "show", "imdb_id": "tt2560140", "unchecked": "1"}
    assert small.post("/manual", data) == "/mappings/1"
    row = find(Mapping, anilist_id=1)
    assert (row.user_id, row.trakt_id, row.source, row.updated_by, row.imdb_id) == (
        1,
        70_000,
        "manual",
        "hanako",
        "tt2560140",
    )
    assert find(Entry, anilist_id=1).changed_at > NOW
    assert queue[-1] == ("light", find(Run, mode="single", anilist_id=1).id)
    assert "by hanako" in small.get("/mappings/1")


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"anilist_id": "", "trakt_id": "1"}, "anilist_id"),
        ({"anilist_id": "1", "trakt_id": "0"}, "trakt_id"),
        ({"anilist_id": "1", "trakt_id": str(2**53 + 1)}, "trakt_id"),
        ({"anilist_id": "1", "trakt_id": "-5"}, "trakt_id"),
        ({"anilist_id": "1", "trakt_id": "٣"}, "trakt_id"),
        ({"anilist_id": "1", "trakt_id": "1", "imdb_id": "nm1"}, "imdb_id"),
        ({"anilist_id": "1", "trakt_id": "1", "tmdb_id": "x"}, "tmdb_id"),
    ],
)
@pytest.mark.parametrize("hx", [False, True])
def test_a_bad_field_says_so_beside_it_and_loses_nothing(
    browser: Browser, data: dict[str, str], field: str, hx: bool
) -> None:
    text = browser.post("/manual", {"kind": "movie", "tvdb_id": "4711", **data}, status=422, hx=hx)
    assert f'id="f-{field}-error"' in text
    assert 'aria-invalid="true"' in text
    assert 'value="4711"' in text
    assert '<option value="movie" selected>' in text
    assert ("<html" in text) is not hx


def test_ranges_are_saved_together_with_the_show(small: Browser, find: Find) -> None:
    data = {
        "kind": "show",
        "trakt_id": "70000",
        "first-0": "1",
        "last-0": "12",
        "season-0": "3",
        "start-0": "1",
        "first-1": "13",
        "last-1": "",
        "season-1": "0",
        "start-1": "5",
        "first-2": "",
    }
    small.post("/mappings/3/spans", data)
    assert find(EntrySpan, anilist_id=3, first=1).last == 12
    assert (find(EntrySpan, anilist_id=3, first=13).last, find(EntrySpan, anilist_id=3, first=13).season) == (None, 0)
    assert find(Entry, anilist_id=3).changed_at > NOW
    page = small.get("/mappings/3")
    assert 'name="first-2"' in page
    assert 'name="first-3"' not in page
    small.post("/mappings/3/reset")
    assert find(EntrySpan, anilist_id=3) is None
    assert find(Mapping, anilist_id=3) is None


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"first-0": "1", "last-0": "12", "season-0": "1", "start-0": "1", "first-1": "12", "season-1": "2", "start-1": "1"}, "Two ranges name the same episode"),
        ({"first-0": "5", "last-0": "4", "season-0": "1", "start-0": "1"}, "comes before the first"),
        ({"first-0": "1", "season-0": "", "start-0": "1"}, "This is needed"),
        ({"first-0": "0", "season-0": "1", "start-0": "1"}, "whole number"),
        ({"trakt_id": "x"}, "whole number"),
    ],
)  # fmt: skip
def test_ranges_that_cannot_be_say_why(small: Browser, find: Find, data: dict[str, str], said: str) -> None:
    text = small.post("/mappings/3/spans", {"kind": "show", "trakt_id": "70000", **data}, status=422)
    assert said in text
    assert find(EntrySpan, anilist_id=3) is None


def test_the_choice_of_a_candidate_becomes_a_correction(small: Browser, find: Find) -> None:
    page = small.get("/review")
    assert 'value="1-12:3:1"' in page
    assert small.post("/review/1/use", {"kind": "show", "trakt_id": "70000", "spans": "1-12:3:1"}) == "/review"
    span = find(EntrySpan, anilist_id=1)
    assert (span.first, span.last, span.season, span.start) == (1, 12, 3, 1)
    assert find(Mapping, anilist_id=1).source == "manual"
    assert find(Run, mode="single", anilist_id=1).status == "queued"


@pytest.mark.parametrize(
    "data",
    [
        {"kind": "show", "trakt_id": "70000", "spans": "1-12:9:1"},
        {"kind": "movie", "trakt_id": "70000", "spans": "1-12:2:1"},
        {"kind": "show", "trakt_id": "x", "spans": ""},
    ],
)
def test_a_candidate_that_is_gone_changes_nothing(small: Browser, find: Find, data: dict[str, str]) -> None:
    small.post("/review/1/use", data)
    assert find(Mapping, anilist_id=1) is None
    assert "no longer among the choices" in small.get("/review")


def test_a_title_is_never_sent_until_one_takes_it_back(small: Browser, find: Find) -> None:
    assert small.post("/mappings/1/choice", {"choice": "never", "back": "review"}) == "/review"
    assert (find(Entry, anilist_id=1).choice, find(Entry, anilist_id=1).choice_by) == ("never", "hanako")
    assert "Where does Title 1 go?" not in small.get("/review")
    assert "9 titles to decide" in small.get("/review")
    small.post("/mappings/1/choice", {"choice": ""})
    assert find(Entry, anilist_id=1).choice is None
    small.post("/mappings/1/choice", {"choice": "nonsense"}, status=400)


def test_what_has_no_match_is_put_aside_by_format(small: Browser, find: Find) -> None:
    small.post("/review/ignore", {"format": "MUSIC"})
    assert find(Entry, reason="music").choice == "ignored"
    assert find(Entry, reason="no_id").choice is None


def test_one_title_is_sent_previewed_and_looked_at(quiet: Browser, find: Find) -> None:
    quiet.post("/mappings/16/sync", {"do": "send"})
    assert (find(Run).mode, find(Run).preview, find(Run).anilist_id) == ("title", False, 16)
    quiet.post("/mappings/16/sync", {"do": "preview"})
    assert (find(Run).mode, find(Run).preview) == ("title", True)
    quiet.post("/mappings/16/refresh")
    assert find(Run).mode == "single"
    assert "looks at this title now" in quiet.get("/mappings/16")
    assert "every 2s" in quiet.get("/mappings/16/place", hx=True)


def test_plays_at_an_old_place_are_moved_or_kept(quiet: Browser, find: Find) -> None:
    quiet.post("/mappings/16/move", {"do": "move"})
    assert (find(Run).mode, find(Run).anilist_id) == ("move", 16)
    quiet.post("/mappings/16/move", {"do": "keep"})
    spans = find(EntrySpan, anilist_id=16)
    assert (spans.first, spans.last, spans.season, spans.start) == (3, None, 2, 3)
    assert find(Mapping, anilist_id=16, user_id=1).trakt_id == 70_000
    quiet.post("/mappings/1/move", {"do": "keep"})
    assert "no single place" in quiet.get("/mappings/1")


# Settings


def test_more_statuses_and_private_entries_are_looked_at_again(site: Flask, small: Browser, find: Find) -> None:
    with site.app_context():
        db.session.scalars(select(Entry)).first().status = "DROPPED"  # type: ignore[union-attr]  # there are some
        db.session.commit()
    small.post("/settings/what", {"statuses": ["COMPLETED", "DROPPED", "NONSENSE"], "send_private": "1"})
    person = find(User)
    assert (person.statuses, person.send_private) == (["COMPLETED", "DROPPED"], True)
    assert find(Entry, status="DROPPED").changed_at is not None
    assert find(Entry, private=True).changed_at is not None
    assert find(Entry, anilist_id=16).changed_at is None
    small.post("/settings/what", {})
    assert (find(User).statuses, find(User).send_private) == ([], False)


def test_filters_are_kept_and_every_entry_is_looked_at_again(site: Flask, small: Browser, find: Find) -> None:
    with site.app_context():
        entry = db.session.scalars(select(Entry).where(Entry.anilist_id == 16)).one()
        entry.custom_lists = ["Later", "With Ken"]
        db.session.commit()
    assert "With Ken" in small.get("/settings")
    data = {
        "statuses": ["COMPLETED"],
        "formats_off": ["OVA", "X"],
        "skip_adult": "1",
        "skip_lists": ["With Ken", "None"],
    }
    small.post("/settings/what", {**data, "not_before": "2024-01-31"})
    assert find(User).filters == {
        "formats_off": ["OVA"], "skip_adult": True, "skip_lists": ["With Ken"], "not_before": "2024-01-31"
    }  # fmt: skip
    changed = find(Entry, anilist_id=16).changed_at
    assert changed is not None
    small.post("/settings/what", {**data, "not_before": "2024-01-31"})
    assert find(Entry, anilist_id=16).changed_at == changed  # nothing new was let in
    text = small.post("/settings/what", {**data, "not_before": "31.1.2024"}, status=422)
    assert "This is no date" in text
    assert "31.1.2024" in text
    assert find(User).filters["not_before"] == "2024-01-31"


@pytest.mark.parametrize("past", [True, False])
def test_rewatches_count_from_the_day_on_which_they_were_turned_on(
    site: Flask, small: Browser, find: Find, past: bool
) -> None:
    with site.app_context():
        db.session.execute(update(Entry).where(Entry.anilist_id == 16).values(repeat=3))
        db.session.commit()
    small.post("/settings/rewatches", {"on": "1", **({"past": "1"} if past else {})})
    entry = find(Entry, anilist_id=16)
    assert find(User).rewatches
    assert (entry.rewatch_base, entry.rewatch_past) == ((0, 3) if past else (3, 0))
    assert entry.changed_at is not None
    with site.app_context():
        db.session.execute(update(Entry).where(Entry.anilist_id == 16).values(repeat=4))
        db.session.commit()
    small.post("/settings/rewatches", {"on": "1"})  # twice turned on is turned on once
    assert find(Entry, anilist_id=16).rewatch_base == (0 if past else 3)
    small.post("/settings/rewatches", {})
    assert not find(User).rewatches


def test_rewatches_wait_until_the_list_was_read(browser: Browser, find: Find) -> None:
    browser.post("/settings/rewatches", {"on": "1", "past": "1"})
    assert "Read your list first" in browser.get("/settings")
    assert not find(User).rewatches


def test_only_an_administrator_pauses_everybody(site: Flask, browser: Browser, find: Find) -> None:
    browser.post("/settings/pause/instance", {"pause": "1d"})
    assert find(SystemConfig, key="pause:until", user_id=None).value > utcnow().isoformat()
    assert "Paused until" in browser.get("/settings")
    with site.app_context():
        db.session.execute(update(User).values(is_admin=False))
        db.session.commit()
    assert "everybody" not in browser.get("/settings")
    browser.post("/settings/pause/instance", {"pause": "off"}, status=403)


def test_dates_zone_and_names_are_kept_or_refused(browser: Browser, find: Find) -> None:
    data = {"date_rule": "released", "title_language": "native", "timezone": "Asia/Tokyo"}
    browser.post("/settings/dates", data)
    person = find(User)
    assert (person.date_rule, person.title_language, person.timezone) == ("released", "native", "Asia/Tokyo")
    assert "JST" in browser.get("/settings")
    text = browser.post("/settings/dates", {**data, "timezone": "Middle/Earth"}, status=422)
    assert "This is no time zone" in text
    assert "Middle/Earth" in text


@pytest.mark.parametrize(("length", "hours"), [("6h", 6), ("1d", 24), ("7d", 168)])
def test_checks_are_paused_for_a_while(browser: Browser, find: Find, length: str, hours: int) -> None:
    browser.post("/settings/pause", {"pause": length})
    left = find(User).paused_until - utcnow()
    assert timedelta(hours=hours - 1) < left <= timedelta(hours=hours)
    assert "Paused until" in browser.get("/settings")
    browser.post("/settings/pause", {"pause": "off"})
    assert find(User).paused_until is None


def test_checks_are_paused_until_told_otherwise(browser: Browser, find: Find) -> None:
    browser.post("/settings/pause", {"pause": "on"})
    assert find(User).paused_until.year == 9999
    browser.get("/settings")
    browser.post("/settings/pause", {"pause": "x"}, status=400)


def test_the_secret_of_the_scheduler_is_shown_to_the_owner(browser: Browser) -> None:
    assert "test-cron-secret" in browser.get("/settings")


# Home


def test_a_cache_is_asked_for_and_its_table_polls_until_it_was_read(
    browser: Browser, queue: list[tuple[str, int]]
) -> None:
    assert browser.post("/caches/fribbs") == "/?under=1#caches"
    assert queue == [("cache", 2)]
    assert "is being read again" in browser.get("/")
    text = browser.post("/caches/otaku", status=200, hx=True)
    assert "every 2s" in text
    browser.post("/caches/nonsense", status=404)


def test_the_table_of_caches_stops_polling_when_the_look_was_made(small: Browser) -> None:
    early = (utcnow() - timedelta(seconds=30)).isoformat().replace("+", "%2B")
    assert "every 2s" in small.get(f"/caches?name=otaku&asked={early}", hx=True)
    late = (utcnow() - timedelta(minutes=10)).isoformat().replace("+", "%2B")
    assert "every 2s" not in small.get(f"/caches?name=otaku&asked={late}", hx=True)
    assert "every 2s" not in small.get("/caches?name=otaku&asked=nonsense", hx=True)
    assert small.client.get("/caches").location == "/?under=1#caches"


def test_changes_say_nothing_until_something_happened(site: Flask, small: Browser) -> None:
    text = small.get("/changes", hx=True)
    mark = text.split("since=")[1].split('"')[0]
    small.get(f"/changes?since={mark}", hx=True, status=204)
    with site.app_context():
        db.session.add(Log(user_id=1, level="info", message="new"))
        db.session.commit()
    small.get(f"/changes?since={mark}", hx=True)
    assert small.last is not None
    assert small.last.headers["HX-Trigger"] == "changed"


def state_of(site: Flask, **connections: str) -> None:
    with site.app_context():
        for service, state in connections.items():
            db.session.add(
                Connection(
                    user_id=1, service=service, state=state, state_since=NOW - timedelta(days=60), account_id=service
                )
            )
        db.session.commit()


@pytest.mark.parametrize(
    ("connections", "said", "step"),
    [
        ({}, "Let&#39;s look at your library first.", "Step 2 of 5: connect AniList"),
        ({"anilist": "name_only"}, "The mapping caches are being filled.", "Step 3 of 5: fill the mapping caches"),
        ({"anilist": "connected", "trakt": "connected"}, "Ready for the first look.", "Step 3 of 5"),
        ({"anilist": "connected", "trakt": "reconnect"}, "Trakt signed us out on 21 Sep", "Step 3 of 5"),
        ({"anilist": "refused", "trakt": "connected"}, "AniList refuses this app.", "Trakt"),
    ],
)
def test_home_says_what_is_next(
    site: Flask, browser: Browser, connections: dict[str, str], said: str, step: str
) -> None:
    state_of(site, **connections)
    text = browser.get("/")
    assert said in text
    assert step in text


def test_home_names_the_list_that_anilist_does_not_have(site: Flask, browser: Browser) -> None:
    state_of(site, anilist="name_only")
    with site.app_context():
        row = db.session.scalars(db.select(Connection)).one()
        row.account_name, row.details = "hanakko", {"problem": "wrong_name"}
        db.session.commit()
    text = browser.get("/")
    assert "AniList has no public list of hanakko." in text
    assert "Look at the spelling, or sign in instead." in text


def test_the_name_typed_on_home_leads_back_there(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enqueue, "connection_check", lambda _id: True)
    assert "Read my list" in browser.get("/")
    assert browser.post("/oauth/anilist/name", {"name": "!", "first": "1"}) == "/"
    assert "An AniList name has" in browser.get("/")
    assert browser.post("/oauth/anilist/name", {"name": "hanako", "first": "1"}) == "/"
    assert "We look for the list of hanako." in browser.get("/")
    assert browser.post("/oauth/anilist/name", {"name": "hanako"}).startswith("/settings/connections")


def test_home_shows_three_decisions_at_most(small: Browser) -> None:
    text = small.get("/")
    assert text.count(">Decide<") == 3
    assert "All 10" in text
    assert '<b class="count">14' in text
