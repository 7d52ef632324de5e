"""Every fault that a service can show, with the run's state, its sentence, and the history after the next good run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from jobs.sources import anilist_parse
from tests.jobs.fault_library import SEEDS, WANTED
from tests.jobs.fault_table import (
    ANILIST,
    DONE,
    POST,
    TABLE,
    TRAKT_READS,
    TRAKT_SIGN_IN,
    TRAKT_WRITES,
    UNDO,
    Row,
    lagging,
)
from tests.jobs.fault_world import Stage, Theatre, moment_of, theatre
from tests.jobs.sync_fakes import make_run, run_row
from webapp import words
from webapp.models import Run, utcnow

ALL = Counter(WANTED)
ALREADY = len(WANTED.intersection(SEEDS))
TO_SEND = len(WANTED.difference(SEEDS))
CONNECTION = {
    "reconnect_anilist": ("anilist", "reconnect"),
    "reconnect_trakt": ("trakt", "reconnect"),
    "app_refused": ("trakt", "refused"),
    "vip_required": ("trakt", "refused"),
    "account_locked": ("trakt", "refused"),
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    with theatre(tmp_path_factory.mktemp("faults")) as built:
        yield built


@pytest.mark.parametrize(
    "row", [pytest.param(row, id=row.name, marks=[pytest.mark.slow] if row.alike else []) for row in TABLE]
)
def test_a_fault(row: Row, house: Theatre, monkeypatch: pytest.MonkeyPatch) -> None:
    with house.stage(monkeypatch, **row.settings) as stage:
        run = breaks(stage, row)
        then_all_is_good(stage, row, run)
        assert stage.only_english() == []


NAMED = (
    "429 with", "429 without", "500", "502", "503", "504", "Cloudflare with 200", "Cloudflare with 403", "connection refused",
    "dropped", "half a body", "silence", "invalid JSON", "error", "401", "403", "409", "412", "420", "423", "426",
)  # fmt: skip
OF_READS = (
    "shows that end early",
    "movies that end early",
    "page of shows repeated",
    "page of movies repeated",
    "does not fit",
)
OF_WRITES = ("dropped before", "dropped after", "401 once", "401 always", "added lower", "echoed nested", "echoed as {}", "echoed without ids", "echoed as season 0", "not_found of")  # fmt: skip
OF_SIGN_INS = ("dropped before", "dropped after", "refused, the refresh token is not known", "the app is gone")


@pytest.mark.parametrize(
    ("rows", "faults"),
    [
        (ANILIST, (*NAMED, "part of the list repeated")),
        (TRAKT_READS, (*NAMED, *OF_READS)),
        (TRAKT_WRITES, (*NAMED, *OF_WRITES)),
        (TRAKT_SIGN_IN, (*NAMED, *OF_SIGN_INS)),
    ],
    ids=["anilist", "trakt reads", "trakt writes", "trakt sign-in"],
)
def test_the_table_names_every_fault_of_every_service(rows: tuple[Row, ...], faults: tuple[str, ...]) -> None:
    assert [fault for fault in faults if not any(fault in row.fault for row in rows)] == []


def breaks(stage: Stage, row: Row) -> Run:
    """The run meets the fault: its states, its sentence, the connection's notice, and what is on Trakt by then."""
    if row.given is not None:
        row.given(stage)
    if row.spec:
        stage.break_(**{"count": 0, **row.hits, **row.spec})
    began = utcnow()
    run = stage.run()
    if row.wait is not None:
        wait = timedelta(seconds=row.wait)
        assert began + wait <= moment_of(run.resume_at) <= utcnow() + wait, stage.log(run)
    endings = [(run.status, run.reason)]
    while run.status == "waiting" and len(endings) < len(row.ends):
        run = stage.goes_on(run)
        endings.append((run.status, run.reason))
    assert tuple(endings) == row.ends, stage.log(run)
    asked = stage.requests(row.service, row.hits["method"], row.hits["path"])
    assert row.tries in (asked, None), stage.log(run)
    history = stage.history()
    assert not history - ALL, "a play too many"
    assert history.total() - ALREADY == row.there
    assert run.plays_sent == row.there or (run.status == "waiting" and run.plays_sent < row.there)
    assert run.status != "succeeded" or history == ALL, "green, and not all was done"
    said = stage.said(run)
    assert row.says in said
    assert str(words.UNKNOWN) not in said
    if run.reason is not None and run.status != "waiting":
        assert run.detail
    service, state = CONNECTION.get(run.reason or "", ("trakt", "connected"))
    state = row.notice or state
    assert stage.state_of(service) == (state, run.reason if state != "connected" else None)
    return run


def then_all_is_good(stage: Stage, row: Row, run: Run) -> None:
    """The cause goes away: the run goes on or the next one does the rest, each play is there once, and stays so.

    Where a fault `passes`, it shows once more first: the run asks again and does not even wait.
    """
    stage.mend(but_once=row.passes)
    if row.mend == "sign in":
        stage.sign_in("anilist" if row.service == "anilist" else "trakt")
    for _ in range(1 if row.passes else 5):
        if run.status == "waiting":
            run = stage.goes_on(run)
    assert not stage.world.faults, "what shows once more was met"
    if row.mend == "send again":
        posts = stage.requests("trakt", "POST", "/sync/history")
        assert stage.run().plays_sent == 0
        assert stage.requests("trakt", "POST", "/sync/history") == posts, "what Trakt refused is not sent again unasked"
        run = stage.send_again()
    elif (run.status, run.reason) != DONE:
        run = stage.run()
    assert (run.status, run.reason) == DONE, stage.log(run)
    assert stage.history() == ALL
    assert stage.state_of("trakt") == ("connected", None)
    ledger = stage.ledger()
    assert ledger.pop("sent") == TO_SEND
    assert not ledger.keys() - {"rejected"}
    if row.hits is POST and row.there == TO_SEND:  # it was learned by looking that they are there
        posts = stage.requests("trakt", "POST", "/sync/history")
        idle = stage.run()
        assert (idle.status, idle.plays_sent) == ("succeeded", 0), stage.log(idle)
        assert stage.requests("trakt", "POST", "/sync/history") == posts


@pytest.mark.parametrize("way", ["cancelled", "failed"])
def test_plays_of_a_run_that_ended_in_doubt_are_looked_for_and_credited_by_the_next_one(
    way: str, house: Theatre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is lost, Trakt's readings lag, and the run ends before they show what had arrived."""
    with house.stage(monkeypatch) as stage:
        lagging(stage)
        stage.break_(**POST, kind="drop_after_apply")
        if way == "failed":
            stage.break_(service="trakt", method="GET", path="/sync/history", kind="status", status=403, count=0)
        ended = stage.run()
        if way == "cancelled":
            stage.cancel(ended)
        assert (run_row(ended.id).status, run_row(ended.id).plays_sent) == (way, 0)
        stage.mend()
        run = stage.run()
        assert (run.status, run.reason) == ("waiting", "settling"), "nothing is sent before these are settled"
        run = stage.goes_on(run)
        assert (run.status, run.plays_sent) == ("succeeded", 0), stage.log(run)
        assert stage.history() == ALL
        assert stage.requests("trakt", "POST", "/sync/history") == 1
        ended = run_row(ended.id)
        assert (ended.status, ended.plays_sent) == ("partial" if way == "failed" else way, 7)


@pytest.mark.parametrize("row", UNDO, ids=lambda row: row.name)
def test_a_fault_of_an_undo(row: Row, house: Theatre, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stood there before stays, what was sent is off after the next good undo, and nothing sends it again."""
    with house.stage(monkeypatch) as stage:
        before, sent = stage.history(), stage.run()
        stage.break_(**{"count": 0, **row.hits, **row.spec})
        began = utcnow()
        run = stage.run(mode="undo", parent_id=sent.id)
        assert (run.status, run.reason) == row.ends[0], stage.log(run)
        if row.wait is not None:
            wait = timedelta(seconds=row.wait)
            assert began + wait <= moment_of(run.resume_at) <= utcnow() + wait
        assert stage.requests(row.service, row.hits["method"], row.hits["path"]) == row.tries, stage.log(run)
        assert (stage.history() - before).total() == row.there
        assert not before - stage.history()
        assert row.says in stage.said(run)
        stage.mend()
        if row.mend == "sign in":
            stage.sign_in("trakt")
        if run.status == "waiting":
            run = stage.goes_on(run)
        if run.status != "succeeded":
            run = stage.run(mode="undo", parent_id=sent.id)
        assert (run.status, run.reason, run.result["removed"]) == (*DONE, 7), stage.log(run)
        assert stage.history() == before
        assert stage.run(trigger="cron").plays_sent == 0
        assert stage.history() == before


def test_cancel_is_heard_between_two_parts_of_the_list(house: Theatre, monkeypatch: pytest.MonkeyPatch) -> None:
    with house.stage(monkeypatch) as stage:
        stage.world.settings.anilist_chunk = 1
        run_id = make_run(stage.user)
        real = anilist_parse.collection

        def while_it_reads(*part: Any) -> Any:
            monkeypatch.setattr(anilist_parse, "collection", real)
            stage.cancel(run_row(run_id))
            return real(*part)

        monkeypatch.setattr(anilist_parse, "collection", while_it_reads)
        before = stage.requests("anilist", "POST", "")
        run = stage.work(run_id)
        assert (run.status, run.reason, run.phase) == ("cancelled", "cancelled", "reading_anilist")
        assert stage.requests("anilist", "POST", "") - before == 2  # who it is, and the first part of three
        assert not stage.requests("trakt", "POST", "/sync/history")
        assert stage.run().status == "succeeded"
        assert stage.history() == ALL
