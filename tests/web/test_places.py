"""The page of one title: the sentence that is a form, what it would mean, another show, ids that exist, and why."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from tests.web.conftest import Browser
from webapp import enqueue, lookups
from webapp.extensions import db
from webapp.models import EntrySpan, LookUp, Mapping, Run, utcnow
from webapp.queries.library import FILTERS

FRIEREN = {"kind": "show", "traktId": 70_000, "title": "Frieren", "year": 2023, "tmdbId": 5, "imdbId": None, "tvdbId": None}  # fmt: skip


@pytest.fixture
def answers(site: Flask, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What Trakt says to the next questions: a list for each part, or a reason; nothing: no answer in time."""
    said: list[Any] = []

    def work(look_up_id: int) -> bool:
        if said:
            found = said.pop(0)
            row = db.session.get_one(LookUp, look_up_id)
            row.state, row.answered_at = ("failed" if isinstance(found, str) else "answered"), utcnow()
            row.reason, row.answer = (found, []) if isinstance(found, str) else (None, found)
            db.session.commit()
        return True

    monkeypatch.setattr(enqueue, "look_up", work)
    monkeypatch.setattr(enqueue, "run", lambda _run: True)
    monkeypatch.setattr(lookups, "PATIENCE", 0.0)
    return said


def form(**more: str) -> dict[str, str]:
    return {
        "kind": "show",
        "trakt_id": "70000",
        "first-0": "1",
        "last-0": "12",
        "season-0": "2",
        "start-0": "1",
        **more,
    }


def count(site: Flask, table: Any) -> int:
    with site.app_context():
        return len(db.session.scalars(select(table)).all())


def test_the_form_shows_what_it_would_mean_before_anything_is_saved(site: Flask, small: Browser) -> None:
    before = count(site, EntrySpan), count(site, Mapping), count(site, Run)
    fragment = small.post("/mappings/16/outlook", form(), status=200, hx=True)
    assert 'id="outlook"' in fragment
    assert "<html" not in fragment
    assert "S2 E1" in fragment
    whole = small.post("/mappings/16/outlook", form(**{"start-0": "5"}), status=200)  # without a script
    assert 'value="5"' in whole
    assert "S2 E5" in whole
    assert (count(site, EntrySpan), count(site, Mapping), count(site, Run)) == before


def test_an_outlook_of_nonsense_keeps_what_was_typed(small: Browser) -> None:
    assert 'value="abc"' in small.post("/mappings/16/outlook", form(**{"first-0": "abc"}), status=200)


def test_saving_may_move_what_was_sent(site: Flask, small: Browser, answers: list[Any]) -> None:
    with site.app_context():
        db.session.execute(db.update(Run).values(status="succeeded", lock_key=None))
        db.session.commit()
    address = small.post("/mappings/16/spans", form(do="move"))
    with site.app_context():
        run = db.session.scalars(select(Run).order_by(Run.id.desc())).first()
        assert run is not None
        assert (run.mode, run.anilist_id, address) == ("move", 16, f"/runs/{run.id}")


def test_another_show_is_found_by_title_and_chosen(site: Flask, small: Browser, answers: list[Any]) -> None:
    answers.append([[FRIEREN]])
    page = small.get(small.post("/mappings/16/find", {"q": "frieren"}))
    assert "Frieren" in page
    assert "show 70000" in page
    small.post("/mappings/16/show", {"kind": "show", "trakt_id": "70000"})
    with site.app_context():
        row = db.session.scalars(select(Mapping).where(Mapping.anilist_id == 16, Mapping.user_id.is_not(None))).one()
        assert (row.trakt_id, row.updated_by) == (70_000, "hanako")


def test_a_question_that_takes_longer_is_polled_for(small: Browser, answers: list[Any]) -> None:
    fragment = small.post("/mappings/16/find", {"q": "frieren"}, status=200, hx=True)
    assert "every 1s" in fragment
    assert "Trakt is being asked" in small.get("/mappings/16/find/1?q=frieren")


@pytest.mark.parametrize(
    ("q", "answer", "says"),
    [
        ("frieren", [[]], "Trakt knows nothing by"),
        ("frieren", "app_refused", "Trakt could not be asked"),
        ("https://example.org/x", None, "This address names no show or movie"),
    ],
)
def test_what_is_not_found_says_so(small: Browser, answers: list[Any], q: str, answer: Any, says: str) -> None:
    answers.extend([answer] if answer is not None else [])
    assert says in small.post("/mappings/16/find", {"q": q}, status=200, hx=True)


def test_a_question_that_no_worker_can_get_says_so_at_once(small: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enqueue, "look_up", lambda _look_up_id: False)
    assert "Trakt could not be asked" in small.get(small.post("/mappings/16/find", {"q": "frieren"}))


def test_somebody_elses_question_is_not_shown(site: Flask, small: Browser, answers: list[Any]) -> None:
    assert "no longer there" in small.get("/mappings/16/find/99?q=x")


# By id


def manual(**more: str) -> dict[str, str]:
    return {"anilist_id": "16", "trakt_id": "70000", "kind": "show", **more}


def test_ids_that_exist_are_saved(site: Flask, small: Browser, answers: list[Any]) -> None:
    answers.append([[FRIEREN], [FRIEREN]])
    assert small.post("/manual", manual(tmdb_id="5")) == "/mappings/16"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ([[], [FRIEREN]], "Trakt has no show 70000."),
        ([[FRIEREN], []], "Trakt knows no show by TMDB 5."),
        ([[FRIEREN], [{**FRIEREN, "traktId": 1, "title": "Bleach"}]], "TMDB 5 is “Bleach” on Trakt, not this one."),
    ],
)
def test_ids_that_do_not_exist_are_refused_with_what_was_looked_up(
    site: Flask, small: Browser, answers: list[Any], answer: Any, says: str
) -> None:
    before = count(site, Mapping)
    answers.append(answer)
    assert says in small.post("/manual", manual(tmdb_id="5"), status=422)
    assert count(site, Mapping) == before


@pytest.mark.parametrize("answer", ["service_down", None])
def test_without_an_answer_nothing_is_saved_unless_pressed_again(
    site: Flask, small: Browser, answers: list[Any], answer: str | None
) -> None:
    answers.extend([answer] if answer else [])
    page = small.post("/manual", manual(), status=422)
    assert "nothing was saved" in page
    assert 'name="unchecked"' in page
    assert small.post("/manual", manual(unchecked="1")) == "/mappings/16"


# The list


def test_every_filter_shows_what_it_names(site: Flask, small: Browser) -> None:
    with site.app_context():
        db.session.execute(
            db.update(db.metadata.tables["entries"]).where(db.text("anilist_id = 16")).values(choice="scrobbler")
        )
        db.session.commit()
    pages = {name: small.get(f"/mappings?state={name}") for name in FILTERS}
    assert 'href="/mappings/16"' in pages["scrobbler"]
    assert "Left to a scrobbler" in pages["scrobbler"]
    hrefs = {name: set(re.findall(r'href="/mappings/(\d+)"', page)) for name, page in pages.items()}
    assert not hrefs["auto"] & hrefs["manual"]
    assert hrefs["auto"] | (hrefs["manual"] & hrefs["placed"]) >= hrefs["placed"]


# Why


def test_why_names_the_entry_its_place_its_plays_and_the_last_word(site: Flask, small: Browser) -> None:
    with site.app_context():
        ids = db.session.scalars(select(db.metadata.tables["entries"].c.anilist_id)).all()
    pages = {anilist_id: small.get(f"/mappings/why?q=https://anilist.co/anime/{anilist_id}") for anilist_id in ids}
    for anilist_id, page in pages.items():
        assert f'href="/mappings/{anilist_id}"' in page
    said = "".join(pages.values())
    for words in (
        "The last run that said something of it",
        "Every episode has its exact place",
        "Tsuzuki added this play",
    ):
        assert words in said


def test_why_says_when_nothing_is_known(small: Browser) -> None:
    assert "Nothing like this is on your AniList list" in small.get("/mappings/why?q=no+such+title")
    assert "This address names no title" in small.get("/mappings/why?q=https://example.org/1")
    small.get("/mappings/why")
