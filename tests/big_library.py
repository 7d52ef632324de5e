"""A made-up library of any size with rows as wide as real ones: what `./run bench pages` measures on."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import insert

from webapp import picture_file
from webapp.extensions import db
from webapp.models import (
    ActivityRow,
    AnimeId,
    Connection,
    Decision,
    Entry,
    HistoryFinding,
    Log,
    LookUp,
    Mapping,
    MappingSource,
    Media,
    PlanItem,
    PlayRow,
    RequestCount,
    Run,
    RunItem,
    SyncProgress,
    TraktPicture,
    TraktShow,
    User,
    utcnow,
)

PART: Final = 5000  # rows of one INSERT
SYLLABLES = [
    "ka",
    "ki",
    "ku",
    "ko",
    "sa",
    "shi",
    "su",
    "so",
    "ta",
    "chi",
    "tsu",
    "to",
    "na",
    "ni",
    "no",
    "ha",
    "hi",
    "fu",
    "ho",
    "ma",
    "mi",
    "mu",
    "mo",
    "ya",
    "yu",
    "yo",
    "ra",
    "ri",
    "ru",
    "ro",
    "wa",
    "n",
]
ROMAJI = [f"{a}{b}{c}" for a in SYLLABLES[:-1] for b in SYLLABLES for c in ("", *SYLLABLES[::9])]  # some 5,000 words
SMALL = ["no", "the", "of", "wa", "to"]  # words of many titles
NATIVE = "影星桜夜天使町僕君空海花伝説学園物語世界少女戦記竜魔騎士旅夏冬風光闇"
# where each two hundredth title stands; all others are placed
PILES = {
    3: ("needs_you", "sources_disagree"), 7: ("needs_you", "special_unconfirmed"), 13: ("no_match", "not_on_trakt"), 22: ("waiting", "not_listed_yet"), 23: ("waiting", "not_listed_yet"), 27: (None, None), 28: (None, None),
    **dict.fromkeys(range(14, 19), ("no_match", "no_id")),
}  # fmt: skip
STATES = ("sent",) * 94 + ("gone",) * 2 + ("removed",) * 2 + ("rejected", "planned")
LEVELS = (("info",) * 16 + ("debug",) * 3 + ("warning",)) * 20 + ("error",)


class Library:
    """Fills the tables of an empty instance, the same rows every time; `known` is for `tests.web.addresses`."""

    def __init__(self, password_hash: str, *, titles: int, plays: int, logs: int, runs: int) -> None:
        self.titles, self.plays, self.logs, self.newest = titles, plays, logs, runs
        self.big = runs // 2  # the run that sent nearly all
        self.planned = min(150, titles // 4)  # entries of the preview that waits
        self.random = random.Random(7)
        self.now = utcnow()
        person = User(username="hanako", password_hash=password_hash, is_admin=True, hand_consent_at=self.now)
        db.session.add(person)
        db.session.commit()
        self.user_id = person.id

    def fill(self) -> dict[str, object]:
        self.instance()
        many(TraktShow, (self.show(n) for n in range(1, self.titles // 2 + 1)))
        media = [self.media(n) for n in range(1, self.titles + 1)]
        many(Media, iter(media))
        many(Entry, (self.entry(n) for n in range(1, self.titles + 1)))
        many(Mapping, (self.mapping(n) for n in range(1, self.titles + 1)))
        many(AnimeId, ({"source": "fribbs", "anilist_id": n, "tmdb_show_id": n // 2 + 1, "format": "TV", "season_tmdb": 1} for n in range(1, self.titles + 1)))  # fmt: skip
        many(SyncProgress, ({"user_id": self.user_id, "anilist_id": n, "last_abs": 12, "updated_at": self.ago(minutes=n)} for n in range(1, self.titles + 1, 2)))  # fmt: skip
        many(ActivityRow, ({"user_id": self.user_id, "activity_id": n, "anilist_id": n % self.titles + 1, "status": "watched episode", "first": 1, "last": 1, "created_at": self.ago(minutes=n), "stored_at": self.now} for n in range(1, self.titles + 1)))  # fmt: skip
        self.runs()
        many(PlayRow, (self.play(n) for n in range(self.plays)))
        many(Log, (self.line(n) for n in range(self.logs)))
        self.extras()
        return self.known(media)

    def known(self, media: list[dict[str, Any]]) -> dict[str, object]:
        def first(pile: str, kind: str) -> int:
            query = db.select(Entry.anilist_id).where(Entry.pile == pile, Entry.kind == kind)
            return int(db.session.scalars(query.order_by(Entry.anilist_id).limit(1)).one())

        line = db.session.scalars(
            db.select(Log.id).where(Log.run_id == self.big).order_by(Log.id.desc()).limit(1)
        ).one()
        words = str(media[self.titles // 3]["title_romaji"]).lower().split()[-1]
        return {
            "title": first("placed", "show"), "movie": first("placed", "movie"), "asking": first("needs_you", "show"), "by_hand": 37, "planned": 11, "shown": ",".join(str(11 + n) for n in range(min(25, self.planned))),
            "run": self.big, "preview": self.newest, "open_run": self.newest - 1, "repair": self.newest - 2, "look_up": 1, "play": self.plays // 2, "line": line,
            "second": 10 if self.titles > 1500 else 0, "words": words, "native": str(media[5]["title_native"])[:2], "offset": max(self.titles - 100, 0),
        }  # fmt: skip

    def ago(self, **given: float) -> datetime:
        return self.now - timedelta(**given)

    def instance(self) -> None:
        for service in ("anilist", "trakt"):
            db.session.add(Connection(user_id=self.user_id, service=service, account_id="1", account_name="hanako", checked_at=self.now))  # fmt: skip
        for name in ("otaku", "fribbs", "anime_lists"):
            db.session.add(MappingSource(name=name, url="http://localhost", rows_kept=30_000, rows_in_file=31_000, last_sync=self.now))  # fmt: skip
        db.session.commit()

    def name(self, fewest: int, most: int) -> str:
        words = self.random.choices(ROMAJI, k=self.random.randint(fewest, most))
        words.insert(1, self.random.choice(SMALL))
        return " ".join(words).capitalize()

    def media(self, n: int) -> dict[str, Any]:
        romaji, english = self.name(2, 7), self.name(3, 8)
        native = "".join(self.random.choices(NATIVE, k=self.random.randint(4, 14)))
        synonyms = [self.name(2, 6) for _ in range(self.random.randint(0, 4))]
        return {
            "anilist_id": n, "mal_id": n, "format": "MOVIE" if n % 10 == 0 else "TV", "status": "FINISHED", "episodes": 1 if n % 10 == 0 else 12, "duration": 24,
            "season_year": 1990 + n % 36, "start_date": f"{1990 + n % 36}-04-{n % 28 + 1:02}", "end_date": f"{1990 + n % 36}-06-28", "title_romaji": romaji,
            "title_english": english if n % 3 else None, "title_native": native, "synonyms": synonyms, "is_adult": False, "fetched_at": self.now,
            "search_text": " ".join((romaji, english, native, *synonyms)).casefold(), "cover_color": "#e4a15d",
            "cover_url": f"https://s4.anilist.co/file/anilistcdn/media/anime/cover/medium/bx{n}-Mb1cBkXWwLSg.jpg",
        }  # fmt: skip

    def show(self, n: int) -> dict[str, Any]:
        seasons = {
            str(season): [[e, n * 100 + e, f"20{season + 10}-04-{e:02}T15:00:00Z", self.name(2, 5), 24] for e in range(1, 13)]
            for season in range(1 + n % 2, 3 + n % 3)
        }  # fmt: skip
        return {"trakt_id": n, "title": self.name(2, 5), "year": 2011, "slug": f"show-{n}", "tmdb_id": n, "tvdb_id": n, "imdb_id": f"tt{n}", "ended": True, "seasons": seasons, "fetched_at": self.now}  # fmt: skip

    def entry(self, n: int) -> dict[str, Any]:
        pile, reason = PILES.get(n % 200, ("placed", None))
        kind = "movie" if n % 10 == 0 else "show"
        season = 1 + (n // 2) % 2
        spans = [] if kind == "movie" else [{"from": 1, "to": 12, "season": season, "start": 1}]
        said = {"fribbs": f"S{season} E1", "otaku": f"S{season} E1", "anime_lists": f"TVDB S{season} from 1"}
        place = {"kind": kind, "trakt_id": n // 2 + 1, "spans": spans, "source": "fribbs", "reason": "Fribbs names the season of TMDB."}  # fmt: skip
        placement: dict[str, Any] = {**place, "anilist_id": n, "rule": "fribbs_tmdb", "certainty": "sure", "sources": said, "open": []}  # fmt: skip
        if pile == "needs_you":
            other = {**place, "spans": [{**span, "season": 3 - season} for span in spans], "source": "otaku", "evidence": "Otaku names the other season."}  # fmt: skip
            placement = {"anilist_id": n, "pile": pile, "reason": reason, "detail": "Two sources name two places.", "candidates": [place, other], "sources": said}  # fmt: skip
        elif pile == "waiting":
            placement["open"] = [{"first": 12, "last": 12, "pile": "waiting", "reason": reason, "due_at": None}]
        elif pile == "no_match":
            placement = {"anilist_id": n, "pile": pile, "reason": reason, "detail": "No source has an id.", "candidates": [], "sources": {}}  # fmt: skip
        elif pile is None:
            placement = {}
        has_place = pile in ("placed", "waiting", "needs_you")
        return {
            "user_id": self.user_id, "account_id": "1", "anilist_id": n, "list_entry_id": n, "status": "COMPLETED" if n % 9 else "CURRENT", "progress": 1 if kind == "movie" else 12, "seen_at": self.now,
            "pile": pile, "reason": reason, "kind": kind if has_place else None, "trakt_id": n // 2 + 1 if has_place else None, "placement": placement,
            "custom_lists": ["Watched with friends"] if n % 50 == 0 else [], "list_created_at": self.ago(hours=n), "list_updated_at": self.ago(minutes=(n * 7919) % 4_000_000), "placed_at": self.now,
            "due_at": self.now if pile in ("no_match", "waiting") else None, "waiting_since": self.ago(days=3) if pile == "waiting" else None,
            "choice": ("never", "ignored", "scrobbler")[n % 3] if n % 400 == 0 else None, "choice_by": "hanako" if n % 400 == 0 else None, "settled_at": self.now, "settled_abs": 12,
        }  # fmt: skip

    def mapping(self, n: int) -> dict[str, Any]:
        by_hand = n % 37 == 0
        return {
            "user_id": self.user_id if by_hand else None, "anilist_id": n, "kind": "movie" if n % 10 == 0 else "show", "trakt_id": n // 2 + 1, "tmdb_id": n, "tvdb_id": n, "imdb_id": f"tt{n}",
            "source": "manual" if by_hand else "fribbs", "reason": "Fribbs has its TMDB id.", "updated_by": "hanako" if by_hand else None,
        }  # fmt: skip

    def play(self, n: int) -> dict[str, Any]:
        title, state = n // 12 + 1, STATES[n % 100]
        movie = title % 10 == 0
        return {
            "user_id": self.user_id, "source_account": "1", "anilist_id": title, "episode": n % 12 + 1, "target_account": "1", "kind": "movie" if movie else "episode", "trakt_id": title,
            "season": 0 if movie else 1, "number": 0 if movie else n % 12 + 1, "target_nth": n % 12 + 1 if movie else 1, "state": state, "date_source": "activity", "answered": True,
            "run_id": self.big if n < self.plays * 3 // 4 else 1 + n % (self.newest - 3), "watched_at": self.ago(minutes=53 * (self.plays - n)), "claimed_at": self.now,
            "sent_at": self.ago(minutes=13 * (self.plays - n)) if state == "sent" else None, "history_id": n,
        }  # fmt: skip

    def line(self, n: int) -> dict[str, Any]:
        run = self.big if n % 40 == 0 else 1 + n * self.newest // self.logs
        return {"user_id": self.user_id if n % 8 else None, "run_id": run, "level": LEVELS[n % len(LEVELS)], "message": f"{self.name(4, 9)}: 12 plays in batch {n}, answered in 0.8 s.", "created_at": self.ago(seconds=30 * (self.logs - n))}  # fmt: skip

    def run(self, n: int) -> dict[str, Any]:
        began = self.ago(hours=6 * (self.newest - n) + 1)
        sends = n % 4 == 0 or n == self.big
        values: dict[str, Any] = {
            "id": n, "user_id": self.user_id, "mode": "full", "trigger": "schedule", "preview": False, "status": "partial" if n % 20 == 0 else "succeeded", "reason": "rejected" if n % 20 == 0 else None,
            "plays_planned": 12 if sends else 0, "plays_sent": 12 if sends else 0, "result": {"found": self.titles, "entries": self.titles, "review": 200, "added": {"episodes": 12, "movies": 0}},
            "created_at": began, "started_at": began, "finished_at": began + timedelta(minutes=2), "plan_expires_at": None, "phase": None, "done": 0, "total": 0,
        }  # fmt: skip
        if n == self.newest:
            values |= {"preview": True, "trigger": "page", "status": "succeeded", "reason": None, "plays_planned": self.planned * 12, "plan_expires_at": self.now + timedelta(days=1)}  # fmt: skip
        elif n == self.newest - 1:
            values |= {"status": "waiting", "reason": "rate_limited", "finished_at": None, "phase": "posting", "done": 300, "total": 1000}  # fmt: skip
        elif n == self.newest - 2:
            values |= {"mode": "repair", "status": "succeeded", "reason": None, "result": {"removed": 60, "moved": 20}}
        return values

    def runs(self) -> None:
        many(Run, (self.run(n) for n in range(1, self.newest + 1)))
        outcomes = ("sent", "sent", "sent", "already_on_trakt", "needs_you", "refused")
        many(RunItem, ({"run_id": self.big, "user_id": self.user_id, "anilist_id": n, "outcome": outcomes[n % 6], "reason": "sources_disagree" if n % 6 == 4 else None, "wanted": 12, "sent": 12 if n % 6 < 3 else 0, "already": 12 if n % 6 == 3 else 0} for n in range(1, self.titles // 4)))  # fmt: skip
        many(RunItem, ({"run_id": run, "user_id": self.user_id, "anilist_id": 1 + (run * 31 + n) % self.titles, "outcome": outcomes[n % 6], "wanted": 12, "sent": 12} for run in range(4, self.newest - 3, 4) if run != self.big for n in range(6)))  # fmt: skip
        many(PlanItem, ({"run_id": self.newest, "user_id": self.user_id, "anilist_id": 11 + entry, "episode": n, "kind": "episode", "trakt_id": entry, "season": 1, "number": n, "watched_at": self.ago(hours=entry, minutes=30 * n), "date_source": "activity"} for entry in range(self.planned) for n in range(1, 13)))  # fmt: skip
        many(RequestCount, ({"run_id": run, "service": service, "requests": 7, "waited_ms": 1200} for run in range(1, self.newest + 1) for service in ("anilist", "trakt")))  # fmt: skip

    def extras(self) -> None:
        decided = {"mapping": {"kind": "show", "trakt_id": 5}, "spans": [[1, 12, 2, 1]], "choice": None}
        many(Decision, ({"user_id": self.user_id, "anilist_id": n, "action": f"a{n // 2}", "what": "place", "decided_by": "hanako", "decided_at": self.ago(hours=n), "before": {}, "after": decided} for n in range(1, self.titles // 40)))  # fmt: skip
        many(HistoryFinding, ({
            "user_id": self.user_id, "target_account": "1", "run_id": self.big, "repair_id": self.newest - 2 if n % 5 == 0 else None, "cause": ("posted_again", "scrobbled_too")[n % 2], "state": "removed" if n % 5 == 0 else "found",
            "history_id": n, "kind": "episode", "trakt_id": n // 12 + 1, "season": 1, "number": n % 12 + 1, "watched_at": self.ago(hours=n), "action": "watch", "title": f"Show {n // 12}", "keeps": n + 1,
        } for n in range(min(240, self.titles))))  # fmt: skip
        found = [{"kind": "show", "traktId": n, "title": self.name(2, 5), "year": 2011, "ids": {"trakt": n, "slug": f"show-{n}"}} for n in range(10)]  # fmt: skip
        db.session.add(LookUp(id=1, user_id=self.user_id, question={"parts": [{"title": "star"}]}, state="answered", answer=[found], answered_at=self.now))  # fmt: skip
        shows = {str(n): {"1": {str(e): [1, "2020-04-08T15:00:00Z"] for e in range(1, 13)}} for n in range(1, self.plays // 12 + 1)}  # fmt: skip
        content = picture_file.pack({"shows": shows, "movies": {}})
        db.session.add(TraktPicture(user_id=self.user_id, account_id="1", began_at=self.now, finished_at=self.now, activities={}, plays=self.plays, content=content))  # fmt: skip
        db.session.commit()


def many(table: Any, rows: Iterator[dict[str, Any]]) -> None:
    """Insert in parts, committing each."""
    part: list[dict[str, Any]] = []
    for row in rows:
        part.append(row)
        if len(part) == PART:
            db.session.execute(insert(table), part)
            db.session.commit()
            part = []
    if part:
        db.session.execute(insert(table), part)
    db.session.commit()
