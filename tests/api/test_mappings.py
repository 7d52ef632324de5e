"""Mappings, corrections and placements."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update

from tests.api.conftest import Api, add
from webapp.database import transaction
from webapp.models import Entry, EntrySpan, EpisodeOverride, Mapping, Media, User, utcnow


def mapping(anilist_id: int, user_id: int | None = None, **values: Any) -> Mapping:
    stored = {"trakt_id": anilist_id * 10, "source": "manual" if user_id else "otaku", "kind": "show"}
    return Mapping(anilist_id=anilist_id, user_id=user_id, **{**stored, **values})


def entry(user: User, anilist_id: int, media: dict[str, Any] | None = None, **values: Any) -> None:
    add(Media(anilist_id=anilist_id, title_romaji=f"Title {anilist_id}", search_text=f"title {anilist_id}", fetched_at=utcnow(), **(media or {})))  # fmt: skip
    stored = {"status": "COMPLETED", "progress": 2, "account_id": "7", "seen_at": utcnow()}
    add(Entry(user_id=user.id, anilist_id=anilist_id, **{**stored, **values}))


def get(api: Api, path: str) -> Any:
    answer = api.get(path)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.json


def changed(anilist_id: int) -> bool:
    with transaction(readonly=True) as session:
        return session.scalar(select(Entry.changed_at).where(Entry.anilist_id == anilist_id)) is not None


def test_mappings_are_told_apart_by_who_made_them(api: Api, user: User) -> None:
    entry(user, 1, placement={"spans": [{"from": 1, "to": 12, "season": 2, "start": 1}]})
    add(mapping(1, user.id, tmdb_id=3, imdb_id="tt1234567"), mapping(1), mapping(2, kind="movie"))
    body = get(api, "/api/mappings")
    assert (body["count"], body["next"]) == (3, None)
    (mine,) = body["manual"]
    assert {key: mine[key] for key in ("anilistId", "traktId", "tmdbId", "imdbId", "tvdbId", "type", "kind", "season")} == {
        "anilistId": 1, "traktId": 10, "tmdbId": 3, "imdbId": "tt1234567", "tvdbId": None, "type": "manual", "kind": "show", "season": 2,
    }  # fmt: skip
    assert [(row["anilistId"], row["type"], row["season"]) for row in body["auto"]] == [
        (2, "auto", None),
        (1, "auto", 2),
    ]


def test_mappings_come_in_pages_manual_rows_first(api: Api, user: User) -> None:
    add(*(mapping(n, user.id) for n in (1, 2)), *(mapping(n) for n in (3, 4, 5)))
    address, pages = "/api/mappings?limit=2", []
    while address:
        body = get(api, address)
        pages.append([row["anilistId"] for row in body["manual"] + body["auto"]])
        address = body["next"]
    assert pages == [[2, 1], [5, 4], [3]]


def test_mappings_without_a_limit_are_all_manual_and_a_thousand_auto_rows(api: Api, user: User) -> None:
    add(*(mapping(n) for n in range(1, 1003)), mapping(5000, user.id))
    body = get(api, "/api/mappings")
    assert (len(body["manual"]), len(body["auto"]), body["count"]) == (1, 1000, 1003)
    rest = get(api, body["next"])
    assert [row["anilistId"] for row in rest["auto"]] == [2, 1]


def test_mappings_are_found_by_title_and_by_id(api: Api, user: User) -> None:
    entry(user, 1)
    entry(user, 2)
    add(mapping(1), mapping(2, trakt_id=77))
    assert [row["anilistId"] for row in get(api, "/api/mappings?q=TITLE 1")["auto"]] == [1]
    assert [row["anilistId"] for row in get(api, "/api/mappings?q=77")["auto"]] == [2]
    assert get(api, "/api/mappings?q=100%25")["count"] == 0


def test_the_manual_mappings_of_others_are_seen_only_when_shared(api: Api, user: User) -> None:
    add(User(username="taro", password_hash="x"))
    add(mapping(1, 2), mapping(2, 2, shared=True))
    assert [row["anilistId"] for row in get(api, "/api/mappings")["manual"]] == [2]


def test_a_manual_mapping_is_kept_and_the_entry_looked_at_again(api: Api, user: User) -> None:
    entry(user, 1)
    body = {
        "anilistId": 1, "traktId": 5, "tmdbId": 6, "imdbId": "tt0000001", "tvdbId": 7,
        "spans": [{"from": 13, "season": 2, "start": 1}, {"from": 1, "to": 12, "season": 1, "start": 1}],
    }  # fmt: skip
    answer = api.post("/api/manual-map", json=body)
    assert (answer.status_code, answer.json) == (200, {"success": True, "added": 1})
    with transaction(readonly=True) as session:
        row = session.scalars(select(Mapping)).one()
        spans = session.scalars(select(EntrySpan).order_by(EntrySpan.first)).all()
    assert (row.user_id, row.trakt_id, row.kind, row.source, row.updated_by) == (user.id, 5, "show", "manual", "hanako")
    assert [(s.first, s.last, s.season, s.start) for s in spans] == [(1, 12, 1, 1), (13, None, 2, 1)]
    assert changed(1)


def test_a_second_manual_mapping_replaces_the_first_and_leaves_spans_alone(api: Api, user: User) -> None:
    span = {"from": 1, "to": 2, "season": 0, "start": 4}
    api.post("/api/manual-map", json={"anilistId": 1, "traktId": 5, "spans": [span]})
    api.post("/api/manual-map", json={"anilistId": 1, "traktId": 6, "kind": "movie"})
    with transaction(readonly=True) as session:
        row = session.scalars(select(Mapping)).one()
        assert len(session.scalars(select(EntrySpan)).all()) == 1
    assert (row.trakt_id, row.kind) == (6, "movie")
    api.post("/api/manual-map", json={"anilistId": 1, "traktId": 6, "spans": []})
    with transaction(readonly=True) as session:
        assert session.scalars(select(EntrySpan)).all() == []


def test_a_movie_of_the_list_is_mapped_to_a_movie(api: Api, user: User) -> None:
    entry(user, 1, media={"format": "MOVIE"})
    api.post("/api/manual-map", json={"anilistId": 1, "traktId": 5})
    with transaction(readonly=True) as session:
        assert session.scalars(select(Mapping.kind)).one() == "movie"


GOOD = {"anilistId": 1, "traktId": 5}
SPAN = {"from": 1, "to": 12, "season": 1, "start": 1}


BAD: list[dict[str, Any]] = [
    {},
    {"data": "anilistId=1&traktId=5"},
    {"data": b"\xff\xfe", "content_type": "application/json"},
    {"data": '{"anilistId": 1,', "content_type": "application/json"},
    {"json": []},
    {"json": "text"},
    {"json": None},
    {"json": {"anilistId": 1}},
    {"json": {**GOOD, "traktId": 0}},
    {"json": {**GOOD, "traktId": 2**53 + 1}},
    {"json": {**GOOD, "traktId": 10**400}},
    {"json": {**GOOD, "traktId": "five"}},
    {"json": {**GOOD, "traktId": 1.5}},
    {"json": {**GOOD, "traktId": None}},
    {"json": {**GOOD, "traktId": True}},
    {"json": {**GOOD, "spans": [{**SPAN, "season": False}]}},
    {"json": {**GOOD, "imdbId": "0000001"}},
    {"json": {**GOOD, "imdbId": "tt0000001\n"}},
    {"json": {**GOOD, "kind": "season"}},
    {"json": {**GOOD, "anilist": 1}},
    {"json": {**GOOD, "spans": {}}},
    {"json": {**GOOD, "spans": [{**SPAN, "from": 0}]}},
    {"json": {**GOOD, "spans": [{**SPAN, "to": 0}]}},
    {"json": {**GOOD, "spans": [{**SPAN, "from": 13}]}},
    {"json": {**GOOD, "spans": [{**SPAN, "season": -1}]}},
    {"json": {**GOOD, "spans": [{**SPAN, "season": 10**9}]}},
    {"json": {**GOOD, "spans": [SPAN, {**SPAN, "from": 12, "to": None}]}},
]


def test_a_bad_manual_mapping_is_refused_and_changes_nothing(api: Api, user: User) -> None:
    for options in BAD:
        answer = api.post("/api/manual-map", **options)
        assert answer.status_code == 400, options
        assert answer.json is not None
        assert set(answer.json) == {"error", "code"}
    with transaction(readonly=True) as session:
        assert session.scalars(select(Mapping)).all() == []
        assert session.scalars(select(EntrySpan)).all() == []


# Overrides

SHOW = {"traktId": 5, "abs": 26, "season": 2, "episode": 1}
ENTRY = {"anilistId": 9, "from": 1, "to": 12, "season": 2, "start": 13}


def test_overrides_of_both_kinds_are_written_listed_and_removed(api: Api, user: User) -> None:
    entry(user, 9)
    entry(user, 8, trakt_id=5, kind="show")
    for body in (SHOW, ENTRY):
        assert api.post("/api/overrides", json=body).json == {"success": True, "count": 1}
    assert get(api, "/api/overrides") == {"items": [SHOW, ENTRY], "count": 2, "next": None}
    assert get(api, "/api/overrides?traktId=5")["items"] == [SHOW]
    assert get(api, "/api/overrides?anilistId=9")["items"] == [ENTRY]
    assert get(api, "/api/overrides?limit=1&offset=1")["items"] == [ENTRY]
    assert changed(8)
    assert changed(9)
    assert api("DELETE", "/api/overrides?traktId=5&abs=26").json == {"success": True, "count": 1}
    assert api("DELETE", "/api/overrides?anilistId=9&from=1").json == {"success": True, "count": 1}
    assert api("DELETE", "/api/overrides?anilistId=9").status_code == 404
    assert get(api, "/api/overrides")["count"] == 0


def test_an_override_written_twice_is_one_row(api: Api, user: User) -> None:
    api.post("/api/overrides", json=SHOW)
    api.post("/api/overrides", json={**SHOW, "episode": 3})
    api.post("/api/overrides", json=ENTRY)
    api.post("/api/overrides", json={**ENTRY, "start": 1})
    with transaction(readonly=True) as session:
        assert session.scalars(select(EpisodeOverride)).one().episode == 3
        assert session.scalars(select(EntrySpan)).one().start == 1


def test_a_span_to_the_end_has_no_to(api: Api, user: User) -> None:
    body = {key: value for key, value in ENTRY.items() if key != "to"}
    assert api.post("/api/overrides", json=body).status_code == 200
    assert get(api, "/api/overrides")["items"] == [{**ENTRY, "to": None}]


def test_only_an_administrator_corrects_for_everyone(api: Api, user: User) -> None:
    with transaction() as session:
        session.execute(update(User).values(is_admin=False))
    assert api.post("/api/overrides", json=SHOW).status_code == 403
    assert api("DELETE", "/api/overrides?traktId=5&abs=26").status_code == 403
    assert api.post("/api/overrides", json=ENTRY).status_code == 200


BAD_OVERRIDES: list[dict[str, Any]] = [
        {}, {"season": 1}, {**SHOW, "abs": None}, {**SHOW, "abs": 0}, {**SHOW, **ENTRY}, {**SHOW, "to": 5},
        {**ENTRY, "start": None}, {**ENTRY, "to": 0}, {**ENTRY, "from": 13}, {**ENTRY, "abs": 1}, {**SHOW, "x": 1},
]  # fmt: skip


def test_a_bad_override_is_refused(api: Api, user: User) -> None:
    for body in BAD_OVERRIDES:
        assert api.post("/api/overrides", json=body).status_code == 400, body
    assert get(api, "/api/overrides")["count"] == 0


def test_overlapping_spans_are_refused(api: Api, user: User) -> None:
    api.post("/api/overrides", json=ENTRY)
    answer = api.post("/api/overrides", json={**ENTRY, "from": 12})
    assert answer.status_code == 400
    assert get(api, "/api/overrides")["items"] == [ENTRY]


def test_a_removal_names_what_it_removes(api: Api, user: User) -> None:
    api.post("/api/overrides", json=SHOW)
    api.post("/api/overrides", json=ENTRY)
    for query in ("", "traktId=5", "abs=1", "traktId=5&abs=1&anilistId=9", "anilistId=9&to=3", "from=1"):
        assert api("DELETE", f"/api/overrides?{query}").status_code == 400, query
    assert get(api, "/api/overrides")["count"] == 2


# Placement


def test_a_placement_names_every_episode(api: Api, user: User) -> None:
    spans = [{"from": 1, "to": 2, "season": 1, "start": 25}, {"from": 3, "to": 3, "season": 2, "start": 1}]
    stored = {"spans": spans, "reason": "The seasons are merged on Trakt.", "sources": {"fribbs": "S2 E1"}}
    entry(user, 1, media={"episodes": 3}, pile="placed", kind="show", trakt_id=5, placement=stored)
    assert get(api, "/api/placement?anilistId=1") == {
        "anilistId": 1, "title": "Title 1", "kind": "show", "traktId": 5, "spans": spans,
        "episodes": [
            {"episode": 1, "season": 1, "number": 25},
            {"episode": 2, "season": 1, "number": 26},
            {"episode": 3, "season": 2, "number": 1},
        ],
        "reason": "The seasons are merged on Trakt.", "sources": {"fribbs": "S2 E1"}, "pile": "placed", "review": None,
    }  # fmt: skip


def test_a_refusal_names_its_pile_and_its_candidates(api: Api, user: User) -> None:
    candidates = [{"kind": "show", "trakt_id": 5, "spans": [], "source": "otaku", "evidence": "same title"}]
    stored = {"pile": "needs_you", "reason": "sources_disagree", "detail": "Two sources name two places.", "candidates": candidates}  # fmt: skip
    entry(user, 1, pile="needs_you", reason="sources_disagree", placement=stored)
    body = get(api, "/api/placement?anilistId=1")
    assert (body["spans"], body["episodes"], body["reason"]) == ([], [], "Two sources name two places.")
    assert body["review"] == {"pile": "needs_you", "reason": "sources_disagree", "candidates": candidates}


def test_an_entry_that_was_not_looked_at_has_no_place_yet(api: Api, user: User) -> None:
    entry(user, 1)
    body = get(api, "/api/placement?anilistId=1")
    assert (body["pile"], body["spans"], body["review"]) == (None, [], None)
    assert api.get("/api/placement?anilistId=2").status_code == 404
