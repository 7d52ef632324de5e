"""A Tsuzuki in which every state occurs, served by a thread of the test, and the list of all its pages.

Nothing runs behind it: no worker, no Redis, no service. It is for looking at pages; what they do is tested elsewhere.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy import select
from werkzeug.serving import WSGIRequestHandler, make_server

from jobs.doctor import Cause
from tests.web import addresses, seed
from webapp import expiry, tokens, transfer
from webapp.app import create_app
from webapp.config import load
from webapp.extensions import db
from webapp.grants import Tokens
from webapp.models import (
    Decision,
    HistoryFinding,
    LookUp,
    MappingList,
    Media,
    OAuthFlow,
    Run,
    TraktShow,
    User,
    utcnow,
)

NAME, PASSWORD = "hanako", "a long password"
TITLE = 16  # an entry with a place; the first ten need a decision
FILE = b"format: tsuzuki-corrections\nversion: 1\nmappings:\n- {anilistId: 1, kind: show, traktId: 70000}\n- {anilistId: 2}\n"


@dataclass(frozen=True)
class House:
    """`pages`: endpoint -> addresses that show it in all its states, for the one who is signed in."""

    app: Flask
    base_url: str
    pages: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def addresses(self) -> list[str]:
        return [address for addresses in self.pages.values() for address in addresses]


class Quiet(WSGIRequestHandler):
    """Says nothing about requests; what goes wrong in the app is logged by the app."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


@contextmanager
def furnished(folder: Path, *, speaks: Path | None = None, **settings: str) -> Iterator[House]:
    """Everything occurs: every pile, reason, run, play, finding and connection. `speaks`: a folder of translations."""
    with served(folder, settings) as house:
        if speaks:
            house.app.extensions["babel"].translation_directories.append(str(speaks))
        with house.app.app_context():
            house.pages.update(furnish(_person(), f"{house.base_url}/static/img/mark.svg"))
        yield house


@contextmanager
def empty(folder: Path, **settings: str) -> Iterator[House]:
    """A new instance with its first account, and nothing else."""
    with served(folder, settings) as house:
        with house.app.app_context():
            _person()
            house.pages.update(ALWAYS)
        yield house


@contextmanager
def unowned(folder: Path) -> Iterator[House]:
    """A new instance that nobody has set up."""
    with served(folder, {}) as house:
        yield house


@contextmanager
def served(folder: Path, settings: dict[str, str]) -> Iterator[House]:
    folder.mkdir(parents=True, exist_ok=True)
    dead = "http://127.0.0.1:9"
    app = create_app(
        load(
            {
                "DATA_DIR": str(folder),
                "SECRET_KEY": "a key that is long enough for a test",
                "TZ": "Europe/Berlin",
                "TRAKT_API_URL": dead,
                "TRAKT_CLIENT_ID": "client",
                "TMDB_API_KEY": "0" * 32,
                "CRON_SECRET": "cron-secret",
                "LOG_LEVEL": "debug",
                **settings,
            }
        )
    )
    with app.app_context():
        db.create_all()
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield House(app, f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
        with app.app_context():
            db.engine.dispose()


def _person() -> User:
    hashed = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    person = User(username=NAME, password_hash=hashed, is_admin=True)
    db.session.add(person)
    db.session.commit()
    return person


def furnish(person: User, picture: str) -> dict[str, tuple[str, ...]]:
    """Fill the database of the current app; the pages to look at. `picture`: a test asks no host of the internet."""
    seed.seed(person.id, times=1)
    session, now = db.session, utcnow()
    show = session.get_one(TraktShow, 70_000)
    show.seasons = {
        str(season): [[n, season * 100 + n, "2017-04-01T00:00:00Z", f"Dawn {n}", 24] for n in range(1, 13)]
        for season in range(4)
    }
    for media in session.scalars(select(Media).where(Media.cover_url.is_not(None))):
        media.cover_url = picture
        media.is_adult = media.anilist_id == TITLE
    for number, cause in enumerate([cause.value for cause in Cause], 1):
        session.add(
            HistoryFinding(
                user_id=person.id, target_account="trakt-1", cause=cause, history_id=number, kind="episode", trakt_id=70_000, season=1, number=number,
                watched_at=now, action="watch", title="Attack on Titan", keeps=1,
            )
        )  # fmt: skip
    session.add(
        Decision(
            user_id=person.id, anilist_id=TITLE + 2, action="one", what="never", decided_by=NAME, decided_at=now,
            before={"choice": None}, after={"choice": "never"},
        )
    )  # fmt: skip
    report = {"episodes": 4061, "movies": 2, "waiting": 3, "asking": 12, "unmatched": 1, "notOnTrakt": 7, "wrong": 1310, "cases": [{"anilistId": TITLE, "watched": 12, "wrong": 12}]}  # fmt: skip
    for preview in session.scalars(select(Run).where(Run.preview)):
        preview.result = {"plays": {"episodes": 12, "movies": 1, "titles": 2}, "alreadySynced": 1204, "review": 3, "report": report}  # fmt: skip
    session.add(MappingList(title="A list of a friend", url="https://example.org/list.yaml", added_by=NAME))
    flow = OAuthFlow(
        state="device-state", user_id=person.id, service="trakt", kind="device", expires_at=now + timedelta(days=1),
        device={"user_code": "5055CC52", "verification_url": "https://trakt.tv/activate", "interval": 60, "next_poll": (now + timedelta(days=1)).timestamp()},
    )  # fmt: skip
    ended = OAuthFlow(
        state="device-ended", user_id=person.id, service="trakt", kind="device", expires_at=now + timedelta(days=1),
        device={"user_code": "5055CC52", "verification_url": "https://trakt.tv/activate", "interval": 60, "result": "denied"},
    )  # fmt: skip
    found = LookUp(user_id=person.id, question={"parts": [{"title": "titan"}]}, state="answered", answer=[[{"kind": "show", "traktId": 70_000, "title": "Attack on Titan", "year": 2013, "ids": {}}]])  # fmt: skip
    failed = LookUp(user_id=person.id, question={"parts": [{"title": "titan"}]}, state="failed", reason="service_down")
    session.add_all([flow, ended, found, failed])
    session.commit()
    tokens.store(person.id, "anilist", Tokens("ends within a week", None, now + timedelta(days=6)))
    expiry.warn(now)
    token = transfer.keep_draft(person, FILE)
    session.commit()
    return {**ALWAYS, **_of_a_library(found.id, failed.id, token)}


def _of_a_library(found: int, failed: int, token: str) -> dict[str, tuple[str, ...]]:
    runs = list(db.session.scalars(select(Run).order_by(Run.id)))
    # One run of each kind that looks different.
    alike = {(run.status, run.mode, run.preview, run.plays_sent > 0): run.id for run in runs}
    preview = next(run.id for run in runs if run.preview)
    sent = max(run.id for run in runs if run.mode == "full" and run.plays_sent == 3)
    return {
        "home.show": ("/", "/?under=1"),
        "mappings.show": ("/mappings", "/mappings?q=nothing-fits"),
        "mappings.entry": tuple(f"/mappings/{number}" for number in (1, 12, TITLE, TITLE + 1, TITLE + 2, TITLE + 3)),
        "places.found": tuple(f"/mappings/{TITLE}/find/{number}?q=titan" for number in (found, failed, 999)),
        "history.show": ("/history", "/history?state=hold", "/history?q=nothing-fits"),
        "beyond.show": ("/history/beyond", "/history/beyond?state=hold", "/history/beyond?kind=watchlist&state=open"),
        "logs.show": ("/logs", "/logs?level=error", f"/logs?run={sent}"),
        "runs.show": tuple(f"/runs/{number}" for number in sorted(alike.values())),
        "plans.there": (f"/runs/{preview}/there",),
        "runs.plan_entry": (f"/runs/{preview}/plan/{TITLE}",),
        "runs.confirm_undo": (f"/runs/{sent}/undo",),
        "oauth.device_state": ("/oauth/trakt/device/device-state", "/oauth/trakt/device/device-ended"),
        "transfer.look": (f"/manual/file/{token}",),
    }


# Pages that are there without a library too, from the one list of addresses.
ALWAYS: dict[str, tuple[str, ...]] = {
    **{endpoint: (path,) for endpoint, path in addresses.without_a_library().items() if endpoint != "home.changes"},
    "why.show": ("/mappings/why", "/mappings/why?q=title"),
    "components.show": ("/_components",),
}
# What answers to GET and is no page: a fragment, a file, an answer for scripts, an address that leads to another.
NO_PAGES = (
    addresses.fragments() | {"home.changes"} | (addresses.LEFT_OUT.keys() - {"oauth.device_state", "transfer.look"})
)
