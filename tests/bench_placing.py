"""`./run bench placing --data FOLDER`: what it costs to place a large list with everything in the database already.

Fills the three caches of a new SQLite instance from the folder's files, puts the truth file's entries on one person's list,
places them once (which stores what Trakt answers) and then twice more, counting the CPU seconds of this process and the requests.
Stands with the tests because it brings its own app and its own stand-in for Trakt.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flask import Flask

from jobs import bench_world, refresh
from jobs.bench_world import Bench
from jobs.library_rows import store_entries
from jobs.mapping.resolver import Lookup
from jobs.placing import PlacingClients, place_entries
from jobs.records import ListEntry, MediaInfo
from jobs.targets.trakt_public import Found, SeasonsAnswer
from jobs.transport import Download
from webapp.app import create_app
from webapp.config import load
from webapp.extensions import db
from webapp.memory import keep_what_is_loaded
from webapp.models import User, utcnow

FILES = {"otaku": "anime_mappings.db", "fribbs": "anime-list-full.json", "anime_lists": "anime-list-master.xml"}


class StandIn:
    """The truth file's catalogue as the public half of Trakt, counting its requests."""

    ready = True

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.requests = 0

    def seasons(self, trakt_id: int, etag: str | None = None) -> SeasonsAnswer:
        self.requests += 1
        shape = self.bench.trakt.shapes.get(trakt_id)
        return SeasonsAnswer(shape, None, not_modified=False, missing=shape is None)

    def show(self, trakt_id_or_slug: int | str) -> Found | None:
        self.requests += 1
        return next(iter(self._found(Lookup("find", "show", "trakt", trakt_id_or_slug))), None)

    def find(self, id_type: Any, external_id: int | str, kind: Any) -> list[Found]:
        self.requests += 1
        return self._found(Lookup("find", kind, id_type, external_id))

    def search_movies(self, title: str) -> list[Found]:
        self.requests += 1
        return self._found(Lookup("title", "movie", None, title))

    def _found(self, lookup: Lookup) -> list[Found]:
        matches = self.bench.trakt.answer(lookup)
        return [Found(m.kind, m.trakt_id or 0, m.title or "", m.year, m.ids) for m in matches]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench placing", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the mapping files and the truth file")
    parser.add_argument("--truth", type=Path, help="file with checked placements")
    options = parser.parse_args(argv)
    if missing := bench_world.missing_files(options.data, options.truth):
        parser.error(missing)
    bench = bench_world.load(options.data, options.truth or options.data / bench_world.TRUTH)
    with tempfile.TemporaryDirectory(prefix="tsuzuki-bench-") as folder:
        settings = {"DATA_DIR": folder, "DATABASE_URL": f"sqlite:///{folder}/bench.db", "SECRET_KEY": "bench" * 8}
        app = create_app(load(settings))
        with app.app_context():
            measure(app, bench, options.data)
            db.session.remove()
            db.engine.dispose()
    return 0


def measure(app: Flask, bench: Bench, data: Path) -> None:
    db.create_all()
    user = User(username="bench", password_hash="unusable")
    db.session.add(user)
    db.session.commit()
    for name, file in FILES.items():

        def copy(url: str, *, path: Path, file: str = file, **_more: Any) -> Download:
            shutil.copyfile(data / file, path)
            return Download(200, None, None, path.stat().st_size)

        refresh.refresh(name, download=copy)
    media = [expected.media for expected in bench.expected]
    entries = [ListEntry(info, info.anilist_id, "COMPLETED", info.episodes or 1) for info in media]
    store_entries(user.id, "1", entries, seen_at=utcnow())
    trakt = StandIn(bench)
    clients = PlacingClients(public=trakt, media=lambda _ids: list[MediaInfo]())
    keep_what_is_loaded()  # as a worker does; what only this measurement holds does not count against placing
    for name in ("first time", "again", "once more"):
        trakt.requests, began = 0, time.process_time()
        results = place_entries(user.id, [info.anilist_id for info in media], clients)
        seconds = time.process_time() - began
        sys.stdout.write(
            f"{name:12}{len(results):>6} entries  {seconds:6.2f} s of CPU  {seconds * 5000 / len(media):6.2f} s for 5,000  "
            f"{trakt.requests:>6} requests\n"
        )


if __name__ == "__main__":
    raise SystemExit(main())
