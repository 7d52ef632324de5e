"""What jobs have said is shown in the reader's language: errors of caches, refused rows of files, lines of logs."""

from __future__ import annotations

import html
import io
import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from flask import Flask

from jobs.mapping.datasets import DATASETS
from jobs.mapping.values import UnusableFile
from jobs.said import Said, counted, joined, parts_of, said
from tests import pseudo
from tests.web.conftest import Browser
from webapp.config import ROOT
from webapp.database import transaction
from webapp.models import Log, MappingSource, User
from webapp.retold import from_parts
from webapp.views.logs import LINES

BROKEN = {
    "otaku": (b"", b"<html>", b"not a database", b"SQLite format 3\0" + b"\x10\0" + b"\0" * 10 + b"\0\0\0\x09" + b"\0" * 70),
    "fribbs": (b"{}", b"[1, 2", b"[1 2]", b"[1]x", b"[\xff]", b"[NaN]"),
    "anime_lists": (b"<html>", b"<anime-list><anime", b"<other/>", b"<?xml version='1.0' encoding='nobody-knows'?><anime-list/>"),
}  # fmt: skip
FILE = b"""format: tsuzuki-corrections
version: 1
mappings:
- {anilistId: 1, kind: show, traktId: 70000, tracktId: 1}
- {anilistId: 2}
- {anilistId: x, traktId: 1}
- {kind: show, traktId: 1}
- {anilistId: 3, kind: film, traktId: 1}
- {anilistId: 4, kind: movie, traktId: 1, imdbId: nm1}
- {anilistId: 5, kind: movie, traktId: 1, spans: [{from: 1, season: 1, start: 1}]}
- {anilistId: 6, spans: [{from: 1, to: 5, season: 1, start: 1}, {from: 5, season: 1, start: 1}]}
- {anilistId: 7, spans: [{from: 0, season: 1, start: 1}]}
- {anilistId: 8, kind: show, spans: [{from: 1, season: 1, start: 1}]}
- {anilistId: 9, traktId: 1, spans: no}
- 10
- {anilistId: 11, traktId: 1}
- {anilistId: 11, traktId: 1}
"""
WORD = re.compile(r"[A-Za-z]{3,}")


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("foreign") / "translations"
    assert pseudo.write(folder) > 900
    return folder


@pytest.fixture
def foreign(small: Browser, site: Flask, catalogue: Path) -> Browser:
    """Somebody who reads the made-up language."""
    site.extensions["babel"].translation_directories.append(str(catalogue))
    site.extensions.pop("tsuzuki_languages", None)
    small.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "de"
    return small


def shown(text: str, css: str) -> list[str]:
    """The texts of elements of that class, without the links in them."""
    found = re.findall(rf'<(\w+) class="{css}">(.*?)</\1>', re.sub(r"(?s)<a .*?</a>", "", text), re.S)
    return [html.unescape(re.sub(r"<[^>]+>", "", inner)).strip() for _, inner in found]


def of_files(tmp_path: Path) -> list[tuple[str, Said]]:
    """What the parsers say of broken files."""
    found = []
    for name, contents in BROKEN.items():
        for content in contents:
            (tmp_path / "file").write_bytes(content)
            with pytest.raises(UnusableFile) as refused:
                list(DATASETS[name].read(tmp_path / "file"))
            found.append((name, refused.value.detail))
    return found


def test_errors_of_the_caches_are_in_the_language_of_the_page(foreign: Browser, site: Flask, tmp_path: Path) -> None:
    for name, why in of_files(tmp_path):
        kept = said("%(why)s The rows from before stay in use.", why=why)
        with site.app_context(), transaction() as session:
            row = session.get_one(MappingSource, name)
            row.last_error, row.last_said = str(kept), parts_of(kept)
        page = foreign.get("/?under=1")
        (told,) = [
            text
            for text in shown(page, "error")
            if pseudo.accented("The rows from before stay in use.").strip("~") in text
        ]
        assert str(why) not in page
        assert told.startswith(pseudo.accented(why.pattern)[:7]), (why, told)
        with site.app_context(), transaction() as session:
            session.get_one(MappingSource, name).last_error = None


def test_an_error_that_was_stored_without_its_parts_is_marked_as_english(foreign: Browser, site: Flask) -> None:
    with site.app_context(), transaction() as session:
        session.get_one(MappingSource, "otaku").last_error = "Otaku answered 503."
    assert '<span lang="en">Otaku answered 503.</span>' in foreign.get("/?under=1")


def test_refused_rows_and_files_are_in_the_language_of_the_page(foreign: Browser) -> None:
    address = foreign.post("/manual/file", {"file": (io.BytesIO(FILE), "corrections.yaml")})
    page = foreign.get(address)
    rows = re.findall(r"<li><span>(.*?)</span></li>", page)
    assert len(rows) == 13
    names = {"anilistId", "traktId", "tracktId", "imdbId", "from", "spans"}  # of the file's fields
    for row in rows:
        assert set(WORD.findall(html.unescape(row))) <= names, row
    damaged = foreign.post("/manual/file", {"file": (io.BytesIO(b'{"a": 1,'), "x.json")}, status=422)
    assert pseudo.accented("The JSON is damaged or cut off here.") in html.unescape(damaged)
    assert pseudo.accented("Choose a file first.") in html.unescape(foreign.post("/manual/file", status=422))


def all_of_jobs() -> list[Said]:
    """Each sentence that is in the code of the jobs, with a number for every name in it."""
    found = []
    methods = [("**.py", "python")]
    for _file, _line, text, _comments, _context in extract_from_dir(
        ROOT / "jobs", methods, keywords={"said": None, "counted": (1, 2)}
    ):
        one, many = (text, None) if isinstance(text, str) else (text[0], text[1])
        values = dict.fromkeys([*re.findall(r"%\((\w+)\)s", one), *(["num"] if many else [])], 1234)
        found.append(Said(one, values, many))
    return found


def test_the_log_and_its_levels_are_in_the_language_of_the_page(foreign: Browser, site: Flask) -> None:
    lines = all_of_jobs()
    assert len(lines) > 150
    with site.app_context(), transaction() as session:
        user = session.query(User.id).limit(1).scalar()
        session.query(Log).delete()
        levels = ("info", "warning", "error", "debug")
        for at, line in enumerate(lines):
            session.add(Log(user_id=user, level=levels[at % 4], message=str(line), said=parts_of(line)))
        session.flush()
        newest = max(row for (row,) in session.query(Log.id))
    seen: list[str] = []
    for before in range(newest + 1, 0, -LINES):
        page = foreign.get(f"/logs?level=debug&before={before}")
        seen += shown(page, "message")
        assert {pseudo.accented(word) for word in ("info", "warning", "error", "debug")} >= set(shown(page, "level"))
    assert len(seen) == len(lines)
    names = {"AniList", "Trakt", "TMDB", "Cloudflare", "Otaku", "Fribbs"}
    assert not [text for text in seen if set(WORD.findall(text)) - names]


def test_numbers_are_written_as_the_language_does(foreign: Browser, site: Flask) -> None:
    line = joined(said("Entries looked at: %(found)s; plays to send: %(count)s.", found=12_345, count=1), counted("%(num)s play put right.", "%(num)s plays put right.", 6_000))  # fmt: skip
    with site.test_request_context(headers={"Accept-Language": "de"}):
        text = from_parts(parts_of(line))
    assert "12.345" in text
    assert "6.000" in text
