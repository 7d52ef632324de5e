"""A library for the pages: every state, reason, outcome and play occurs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from jobs.records import Reason
from webapp.extensions import db
from webapp.models import (
    EXTRA_KINDS,
    EXTRA_STATES,
    Connection,
    Entry,
    EntrySpan,
    ExtraRow,
    Log,
    Mapping,
    MappingSource,
    Media,
    PlanItem,
    PlayRow,
    RequestCount,
    Run,
    RunItem,
    SyncProgress,
    TraktShow,
    User,
)  # fmt: skip
from webapp.words import OUTCOMES, RUN_REASONS

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PILES = {
    "needs_you": ["sources_disagree", "special_unconfirmed", "season_unknown", "past_the_end", "claimed_by_other", "length_unknown", "above_episodes", "wrong_kind", "trakt_refused", "misplaced"],
    "no_match": ["no_id", "not_on_trakt", "music"],
    "waiting": ["not_listed_yet", "still_airing"],
}  # fmt: skip
SPANS = [{"from": 1, "to": 12, "season": 2, "start": 1}]


def seed(user_id: int, *, times: int) -> None:
    """`times` copies of everything that grows; connections and caches are there once."""
    session = db.session
    _connections(user_id)
    session.add(TraktShow(trakt_id=70_000, title="Attack on Titan", slug="attack-on-titan", seasons={}, fetched_at=NOW))
    session.flush()
    seed_more(user_id, range(times))


def seed_more(user_id: int, copies: range) -> None:
    for copy in copies:
        _entries(user_id, copy * 1000)
        _runs(user_id, copy * 1000)
        db.session.flush()
    db.session.commit()


def _connections(user_id: int) -> None:
    person = db.session.get_one(User, user_id)
    person.hand_consent_at = NOW
    for service in ("anilist", "trakt"):
        db.session.add(
            Connection(
                user_id=user_id, service=service, account_id=f"{service}-1", account_name="hanako", checked_at=NOW
            )
        )
    for name, rows in (("otaku", 21_000), ("fribbs", 26_000), ("anime_lists", 11_000)):
        db.session.add(MappingSource(name=name, url="http://127.0.0.1:9/", rows_in_file=rows, rows_kept=rows, last_sync=NOW, last_activity=NOW))  # fmt: skip


def _media(anilist_id: int, name: str, format_: str = "TV") -> Media:
    return Media(
        anilist_id=anilist_id, format=format_, status="FINISHED", episodes=12, season_year=2017, start_date="2017-04-01",
        title_romaji=name, title_english=f"{name} in English", title_native=f"進撃の巨人 {anilist_id}", synonyms=["SnK"],
        search_text=f"{name} in english 進撃の巨人 snk {anilist_id}".casefold(), cover_url=None if anilist_id % 2 else "https://s4.anilist.co/file/x.jpg",
        fetched_at=NOW,
    )  # fmt: skip


def _entry(user_id: int, anilist_id: int, **values: object) -> Entry:
    return Entry(
        user_id=user_id, account_id="anilist-1", anilist_id=anilist_id, status="COMPLETED", progress=12, seen_at=NOW,
        list_updated_at=NOW - timedelta(minutes=anilist_id % 500), placed_at=NOW, **values,
    )  # fmt: skip


def _entries(user_id: int, base: int) -> None:
    session = db.session
    number = base
    rows: list[Entry] = []
    for pile, reasons in PILES.items():
        for reason in reasons:
            number += 1
            session.add(_media(number, f"Title {number}", "MUSIC" if reason == "music" else "TV"))
            candidates = [
                {"kind": "show", "trakt_id": 70_000, "spans": SPANS, "source": "fribbs", "evidence": "Fribbs says season 2."},
                {"kind": "show", "trakt_id": 70_000, "spans": [{**SPANS[0], "season": 3}], "source": "otaku", "evidence": "Otaku says season 3."},
            ]  # fmt: skip
            placement = {
                "anilist_id": number,
                "pile": pile,
                "reason": reason,
                "detail": "Two sources name two places.",
                "candidates": candidates if pile == "needs_you" else [],
                "sources": {"fribbs": "S2 E1"},
            }
            rows.append(_entry(user_id, number, pile=pile, reason=reason, placement=placement, due_at=NOW))
    for choice, kind in ((None, "show"), (None, "movie"), ("never", "show"), ("ignored", "show")):
        number += 1
        session.add(_media(number, f"Title {number}", "MOVIE" if kind == "movie" else "TV"))
        placement = {
            "anilist_id": number, "kind": kind, "trakt_id": 70_000, "spans": SPANS if kind == "show" else [], "source": "fribbs",
            "rule": "fribbs", "reason": "Fribbs and Otaku agree.", "certainty": "sure", "sources": {"fribbs": "S2 E1"},
            "open": [{"first": 12, "last": 12, "pile": "waiting", "reason": "not_listed_yet", "due_at": None}],
        }  # fmt: skip
        rows.append(
            _entry(
                user_id,
                number,
                pile="placed",
                kind=kind,
                trakt_id=70_000,
                placement=placement,
                choice=choice,
                private=choice == "never",
            )
        )
    session.flush()
    session.add_all(rows)
    session.add(
        Mapping(
            user_id=user_id,
            anilist_id=base + 16,
            kind="show",
            trakt_id=70_000,
            source="manual",
            reason="chosen by hanako",
            updated_by="hanako",
        )
    )
    session.add(EntrySpan(user_id=user_id, anilist_id=base + 16, first=1, last=None, season=2, start=1))
    session.add(
        Mapping(
            user_id=None,
            anilist_id=base + 17,
            kind="movie",
            trakt_id=70_000,
            source="otaku",
            reason="Otaku has its id.",
        )
    )
    session.add(SyncProgress(user_id=user_id, anilist_id=base + 16, last_abs=12, updated_at=NOW))  # fmt: skip


def _run(user_id: int, status: str, **values: object) -> Run:
    ended = None if status in ("queued", "running", "waiting", "needs_approval") else NOW
    return Run(**{"user_id": user_id, "mode": "full", "trigger": "page", "status": status, "started_at": NOW - timedelta(minutes=2), "finished_at": ended, "plan_expires_at": datetime(2999, 1, 1, tzinfo=UTC), **values})  # fmt: skip


def _extras(user_id: int, base: int) -> None:
    """A run that sent ratings and the like, in every state."""
    sent = _run(user_id, "succeeded", result={"extras": {"ratings": {"planned": 6, "sent": 6}}})
    db.session.add(sent)
    db.session.flush()
    for index, state in enumerate(EXTRA_STATES):
        db.session.add(ExtraRow(user_id=user_id, target_account="trakt-1", kind=EXTRA_KINDS[index % 3], target="show", trakt_id=90_000 + base + index, anilist_id=base + 19, value=9, state=state, run_id=sent.id, claimed_at=NOW))  # fmt: skip


def _runs(user_id: int, base: int) -> None:
    _extras(user_id, base)
    session = db.session
    runs = [_run(user_id, "succeeded", result={"found": 1018, "review": 0}) for _ in range(3)]
    for reason in RUN_REASONS:
        status = (
            "waiting"
            if reason in ("rate_limited", "settling", "service_down")
            else "needs_approval"
            if reason in ("first_run", "over_brake", "plays_vanished", "account_changed")
            else "cancelled"
            if reason in ("cancelled", "approval_expired")
            else "partial"
        )
        runs.append(
            _run(
                user_id,
                status,
                reason=reason,
                plays_planned=37,
                plays_sent=31 if status == "partial" else 0,
                resume_at=NOW,
                result={"vanished": 60, "vanishedTitles": [{"anilistId": base + 16, "plays": 48}]}
                if reason == "plays_vanished"
                else {},
            )
        )
    runs += [_run(user_id, "queued"), _run(user_id, "running", phase="posting", done=10, total=37)]
    for mode in ("completed", "watching", "title", "single", "undo", "move"):
        runs.append(
            _run(
                user_id,
                "succeeded",
                mode=mode,
                anilist_id=base + 16 if mode in ("title", "single", "move") else None,
                plays_planned=2,
                plays_sent=2,
                result={"addedEpisodes": 2, "addedMovies": 0, "found": 3},
            )
        )
    sent = _run(
        user_id,
        "succeeded",
        plays_planned=3,
        plays_sent=3,
        result={"found": 40, "entries": 20, "added": {"episodes": 2, "movies": 1}},
    )
    preview = _run(user_id, "succeeded", preview=True, plays_planned=13)
    runs += [sent, preview]
    session.add_all(runs)
    session.flush()
    session.add(RequestCount(run_id=sent.id, service="trakt", requests=7, waited_ms=2500))
    for index, outcome in enumerate(OUTCOMES):
        session.add(
            RunItem(
                run_id=sent.id,
                user_id=user_id,
                anilist_id=base + 1 + index,
                outcome=outcome,
                reason=list(Reason)[index].value,
                wanted=12,
                sent=6,
                already=1,
                rejected=1,
            )
        )
    for level in ("debug", "info", "warning", "error"):
        session.add(Log(user_id=user_id, run_id=sent.id, level=level, message=f"A line at {level}", created_at=NOW))
    for waiting in (run for run in runs if run.status == "needs_approval" or run is preview):
        for episode in range(1, 13):
            session.add(
                PlanItem(
                    run_id=waiting.id,
                    user_id=user_id,
                    anilist_id=base + 16,
                    episode=episode,
                    kind="episode",
                    trakt_id=70_000,
                    season=2,
                    number=episode,
                    watched_at=NOW,
                    date_source="activity",
                )
            )
        session.add(
            PlanItem(
                run_id=waiting.id,
                user_id=user_id,
                anilist_id=base + 17,
                episode=1,
                kind="movie",
                trakt_id=80_000,
                watched_at=None,
                date_source="unknown",
            )
        )
    for index, state in enumerate(("planned", "sending", "sent", "rejected", "removing", "removed", "gone")):
        session.add(PlayRow(user_id=user_id, source_account="anilist-1", anilist_id=base + 16, episode=index + 1, target_account="trakt-1", kind="episode", trakt_id=70_000 + base, season=2, number=index + 1, state=state, watched_at=NOW, sent_at=NOW if state in ("sent", "removing") else None, run_id=sent.id))  # fmt: skip
