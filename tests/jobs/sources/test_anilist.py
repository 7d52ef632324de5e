"""Reading AniList: its chunks, pages, nulls and many ways to say no."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import graphql
import pytest
import responses
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.errors import BadData, IncompleteRead, NotFound, RateLimited, Reconnect, ServiceDown, TsuzukiError
from jobs.pace import Bucket, LocalStore, anilist
from jobs.records import PartialDate
from jobs.sources import anilist_parse as parse
from jobs.sources import anilist_queries as queries
from jobs.sources.anilist import AniList
from jobs.transport import Transport

URL = "http://127.0.0.1:9/graphql"
SCHEMA = Path(__file__).parents[4] / "shared" / "data" / "anilist.graphql"
SINCE = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def _client(*, token: str | None = "jwt", refused: Callable[[str], None] | None = None) -> AniList:
    transport = Transport("anilist", agent="Tsuzuki/test", sleep=lambda _s: None, retries=2)
    return AniList(transport, URL, referer="https://t.example", token=token, on_refused=refused)


def _data(**data: Any) -> dict[str, Any]:
    return {"status": 200, "json": {"data": data}}


def _error(status: int, message: str, http: int | None = None) -> dict[str, Any]:
    return {"status": http or status, "json": {"data": None, "errors": [{"message": message, "status": status}]}}


def _media(anilist_id: int = 1, **more: Any) -> dict[str, Any]:
    return {"id": anilist_id, "title": {"romaji": f"Title {anilist_id}"}, **more}


def _entry(entry_id: int, anilist_id: int = 0, **more: Any) -> dict[str, Any]:
    found = {"id": entry_id, "mediaId": anilist_id or entry_id, "status": "CURRENT", "progress": 1, **more}
    return {"media": _media(anilist_id or entry_id), **found}


def _chunk(*groups: dict[str, Any], more: bool = False) -> dict[str, Any]:
    return _data(MediaListCollection={"hasNextChunk": more, "lists": list(groups)})


def _group(*entries: dict[str, Any], name: str = "Watching", custom: bool = False) -> dict[str, Any]:
    return {"name": name, "isCustomList": custom, "entries": list(entries)}


def _sent(web: Any, number: int = 0) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(web.calls[number].request.body)
    return body


NAMES: list[Any]
if SCHEMA.exists():
    NAMES = sorted(queries.ALL)
else:  # the suite passes without AniList's whole schema; where it is at hand, every query is held against it
    NAMES = [pytest.param("none", marks=pytest.mark.skip(reason=f"AniList's whole schema is not at {SCHEMA}"))]


@pytest.fixture(scope="module")
def schema() -> graphql.GraphQLSchema:
    return graphql.build_schema(SCHEMA.read_text(encoding="utf-8"), assume_valid=True)


@pytest.mark.parametrize("name", NAMES)
def test_every_query_is_valid_in_anilists_schema(name: str, schema: graphql.GraphQLSchema) -> None:
    assert graphql.validate(schema, graphql.parse(queries.ALL[name])) == []


def test_every_request_carries_our_address_and_token(web: Any) -> None:
    web.post(URL, **_data(Viewer={"id": 7, "name": "hanako"}))
    _client().viewer()
    headers = web.calls[0].request.headers
    assert headers["Referer"] == "https://t.example"
    assert headers["User-Agent"] == "Tsuzuki/test"
    assert headers["Authorization"] == "Bearer jwt"
    assert headers["Content-Type"] == "application/json"


def test_reading_by_name_sends_no_token(web: Any) -> None:
    options = {"titleLanguage": "ENGLISH_STYLISED", "timezone": None, "disabledListActivity": None}
    web.post(URL, **_data(User={"id": 7, "name": "hanako", "options": options}))
    client = _client(token=None)
    assert client.signed_in is False
    assert client.user("hanako").title_language == "english"
    assert "Authorization" not in web.calls[0].request.headers
    assert _sent(web)["variables"] == {"name": "hanako"}
    with pytest.raises(Reconnect):
        client.viewer()


def test_the_viewer_brings_zone_language_and_switched_off_activities(web: Any) -> None:
    options = {
        "titleLanguage": "NATIVE",
        "timezone": "-08:00",
        "disabledListActivity": [{"disabled": True, "type": "CURRENT"}, {"disabled": False, "type": "DROPPED"}],
    }
    web.post(URL, **_data(Viewer={"id": 7, "name": "hanako", "options": options}))
    assert _client().viewer() == parse.Viewer("7", "hanako", "-08:00", "native", ["CURRENT"])


def test_a_list_is_read_in_chunks_from_1_until_there_is_no_next(web: Any) -> None:
    web.post(URL, **_chunk(_group(_entry(1), _entry(2)), more=True))
    web.post(URL, **_chunk(_group(_entry(3))))
    assert [row.list_entry_id for row in _client().whole_list("7")] == [1, 2, 3]
    assert [_sent(web, n)["variables"]["chunk"] for n in (0, 1)] == [1, 2]
    assert _sent(web)["variables"]["user"] == 7


def test_entries_in_custom_lists_come_once_with_all_their_lists(web: Any) -> None:
    hidden = _entry(2, hiddenFromStatusLists=True, customLists={"B": True, "C": False})
    web.post(
        URL,
        **_chunk(
            _group(_entry(1)),
            _group(_entry(1), hidden, name="A", custom=True),
            _group(_entry(1, customLists=[{"name": "D", "enabled": True}]), name="B", custom=True),
        ),
    )
    one, two = _client().whole_list("7")
    assert (one.list_entry_id, one.custom_lists, one.hidden) == (1, ("A", "B", "D"), False)
    assert (two.list_entry_id, two.custom_lists, two.hidden) == (2, ("A", "B"), True)


def test_a_repeated_chunk_is_no_complete_list(web: Any) -> None:
    web.post(URL, **_chunk(_group(_entry(1)), more=True))
    with pytest.raises(IncompleteRead, match="repeated"):
        _client().whole_list("7")
    assert len(web.calls) == 2


def test_an_empty_list_is_a_list(web: Any) -> None:
    web.post(URL, **_data(MediaListCollection={"hasNextChunk": False, "lists": []}))
    assert _client().whole_list("7") == []


def test_partial_dates_null_counts_and_zero_times_are_kept_as_unknown(web: Any) -> None:
    row = _entry(
        1,
        progress=None,
        repeat=None,
        private=True,
        startedAt={"year": 2020, "month": None, "day": None},
        completedAt={"year": None, "month": None, "day": None},
        createdAt=0,
        updatedAt=1_700_000_000,
        status="REPEATING",
    )
    row["media"] = _media(
        5, episodes=None, idMal=None, synonyms=None, nextAiringEpisode={"airingAt": 1_800_000_000, "episode": 12},
        startDate={"year": 2021, "month": 4, "day": 3}, coverImage={"large": "u", "color": None}, title={"native": "続"},
    )  # fmt: skip
    web.post(URL, **_chunk(_group(row)))
    (entry,) = _client().whole_list("7")
    assert (entry.progress, entry.repeat, entry.private, entry.status) == (0, 0, True, "REPEATING")
    assert (entry.started, entry.completed) == (PartialDate(2020), PartialDate())
    assert entry.created_at is None
    assert entry.updated_at == datetime.fromtimestamp(1_700_000_000, UTC)
    media = entry.media
    assert (media.anilist_id, media.episodes, media.next_episode, media.titles) == (5, None, 12, ("続",))
    assert media.start_date == PartialDate(2021, 4, 3)


@pytest.mark.parametrize(
    ("sent", "score"),
    [
        (85, 85),
        (95.0, 95),
        (72.5, 73),
        (100, 100),
        (0, 0),
        (None, 0),
        ("90", 0),
        (True, 0),
        (101, 0),
        (-3, 0),
        (0.4, 0),
    ],
)
def test_scores_are_asked_for_in_one_scale_and_nonsense_is_none(web: Any, sent: Any, score: int) -> None:
    web.post(URL, **_chunk({"name": "Watching", "entries": [_entry(1, score=sent)]}))
    (found,) = _client().whole_list("7")
    assert found.score == score
    assert b"score(format: POINT_100)" in web.calls[0].request.body


def test_an_entry_whose_title_was_taken_away_is_left_out(web: Any) -> None:
    web.post(URL, **_chunk(_group(_entry(1), {"id": 2, "media": None, "status": "CURRENT"})))
    assert [row.list_entry_id for row in _client().whole_list("7")] == [1]


@pytest.mark.parametrize(
    "answer",
    [
        {"MediaListCollection": None},
        {"MediaListCollection": {"lists": "?"}},
        {"MediaListCollection": {"lists": [{"entries": [{"id": "x"}]}]}},
        {"MediaListCollection": {"lists": [{"entries": [{"id": 1, "media": {"id": 0}, "status": "CURRENT"}]}]}},
        {"MediaListCollection": {"lists": [{"entries": [{"id": 1, "media": {"id": 1}, "status": None}]}]}},
        {"MediaListCollection": {"lists": [{"entries": [7]}]}},
    ],
)
def test_an_answer_that_cannot_be_meant_is_bad_data(web: Any, answer: dict[str, Any]) -> None:
    web.post(URL, **_data(**answer))
    with pytest.raises(BadData, match="AniList answered"):
        _client().whole_list("7")


def _page(name: str, *rows: Any, more: bool = False) -> dict[str, Any]:
    return {"pageInfo": {"hasNextPage": more}, name: list(rows)}


def _activity(number: int, **more: Any) -> dict[str, Any]:
    row = {"id": number, "status": "watched episode", "progress": "3", "createdAt": 1_700_000_000 + number}
    return {**row, "media": {"id": 1, "episodes": 12}, **more}


def test_changes_are_one_request(web: Any) -> None:
    web.post(
        URL,
        **_data(
            Viewer={"id": 7, "name": "hanako"},
            activities=_page("activities", _activity(1), {}, more=True),
            entries=_page("mediaList", _entry(1, updatedAt=1_800_000_000), more=True),
            media=_page("media", _media(9)),
        ),
    )
    changes = _client().changes("7", activities_since=SINCE, changed_since=SINCE, media_ids=[9])
    assert len(web.calls) == 1
    assert _sent(web)["variables"] == {"user": 7, "since": int(SINCE.timestamp()), "ids": [9]}
    assert changes.viewer is not None
    assert (changes.viewer.account_id, changes.more_activities, changes.more_entries) == ("7", True, True)
    assert [a.activity_id for a in changes.activities] == [1]
    assert [m.anilist_id for m in changes.media] == [9]


def test_changes_ask_only_for_what_there_is(web: Any) -> None:
    old = _entry(1, updatedAt=1_600_000_000)
    web.post(URL, **_data(activities=_page("activities"), entries=_page("mediaList", old, more=True)))
    changes = _client(token=None).changes("7", activities_since=SINCE, changed_since=SINCE)
    assert "Viewer" not in _sent(web)["query"]
    assert "ids" not in _sent(web)["query"]
    assert (changes.viewer, changes.more_entries, changes.media) == (None, False, [])


def test_changed_entries_are_read_until_one_is_older(web: Any) -> None:
    new, old = {"updatedAt": 1_800_000_000}, {"updatedAt": 1_600_000_000}
    web.post(URL, **_data(Page=_page("mediaList", _entry(1, **new), more=True)))
    web.post(URL, **_data(Page=_page("mediaList", _entry(2, **new), _entry(3, **old), more=True)))
    assert [e.list_entry_id for e in _client().changed_entries("7", SINCE)] == [1, 2, 3]
    assert [_sent(web, n)["variables"]["page"] for n in (0, 1)] == [2, 3]


def test_activities_are_read_over_all_pages_each_once(web: Any) -> None:
    web.post(URL, **_data(Page=_page("activities", _activity(1), _activity(2), more=True)))
    web.post(URL, **_data(Page=_page("activities", _activity(2), _activity(3))))
    found = _client().activities("7", since=SINCE, max_pages=None)
    assert [a.activity_id for a in found] == [1, 2, 3]
    assert _sent(web)["variables"] == {"user": 7, "page": 1, "sort": ["ID"], "since": int(SINCE.timestamp())}


def test_the_newest_activities_come_first_and_at_most_so_many_pages(web: Any) -> None:
    web.post(URL, **_data(Page=_page("activities", _activity(9), _activity(8), more=True)))
    found = _client().activities("7", since=None, max_pages=1, newest_first=True)
    assert [a.activity_id for a in found] == [9, 8]
    assert _sent(web)["variables"] == {"user": 7, "page": 1, "sort": ["ID_DESC"]}  # a null time would match nothing


def test_a_repeated_page_of_activities_ends_the_reading(web: Any) -> None:
    web.post(URL, **_data(Page=_page("activities", _activity(1), more=True)))
    with pytest.raises(IncompleteRead):
        _client().activities("7", since=None, max_pages=None)


@pytest.mark.parametrize(
    ("progress", "expected"),
    [
        ("3", (3, 3)),
        ("3 - 5", (3, 5)),
        ("5 - 3", (3, 5)),
        ("1-12", (1, 12)),
        (None, (None, None)),
        ("?", (None, None)),
        (7, (None, None)),
    ],
)
def test_an_activity_names_its_episodes_as_a_range(progress: Any, expected: tuple[Any, Any]) -> None:
    assert parse.episode_range(progress) == expected


def test_an_activity_of_an_unknown_status_is_kept(web: Any) -> None:
    row = _activity(1, status="rewound tape", progress=None)
    (found,) = parse.activities([row, {"id": 2, "media": None, "createdAt": 5}])
    assert (found.status, found.first, found.last, found.episodes) == ("rewound tape", None, None, 12)


def test_titles_are_asked_for_50_at_a_time(web: Any) -> None:
    web.post(URL, **_data(Page=_page("media", *[_media(n) for n in range(1, 51)])))
    web.post(URL, **_data(Page=_page("media", _media(51))))
    assert len(_client().media([*range(1, 52), 1])) == 51
    assert _sent(web, 1)["variables"] == {"ids": [51]}
    assert _client().media([]) == []


def test_one_entry_or_none(web: Any) -> None:
    web.post(URL, **_data(Page=_page("mediaList", _entry(1, 5))))
    web.post(URL, **_data(Page=_page("mediaList")))
    client = _client()
    found = client.entry("7", 5)
    assert found is not None
    assert found.anilist_id == 5
    assert client.entry("7", 6) is None


@pytest.mark.parametrize(
    ("answer", "kind", "seconds"),
    [
        (_error(400, "Invalid token"), Reconnect, None),
        (_error(400, "Invalid token", http=200), Reconnect, None),
        (_error(401, "Unauthorized."), Reconnect, None),
        (_error(404, "Not Found."), NotFound, None),
        (_error(403, "The AniList API has been temporarily disabled"), ServiceDown, 900),
        ({"status": 403, "body": "<html>blocked", "content_type": "text/html"}, ServiceDown, 900),
        (_error(400, "Cannot query field"), BadData, None),
        (_error(500, "Internal Server Error", http=200), ServiceDown, 300),
        (_error(500, "Internal Server Error"), ServiceDown, 300),
        (_error(429, "Too Many Requests.", http=200), RateLimited, 60),
        ({**_error(429, "Too Many Requests."), "headers": {"Retry-After": "61"}}, RateLimited, 61),
        ({"status": 200, "body": "<html>", "content_type": "text/html"}, ServiceDown, 300),
        ({"status": 200, "json": []}, BadData, None),
        ({"status": 200, "json": {"data": None}}, BadData, None),
        ({"status": 302, "body": "", "headers": {"Location": "/"}}, BadData, None),
    ],
)
def test_each_way_to_say_no_has_its_own_error(
    web: Any, answer: dict[str, Any], kind: type[TsuzukiError], seconds: float | None
) -> None:
    web.post(URL, **answer)
    with pytest.raises(kind) as got:
        _client().viewer()
    assert type(got.value) is kind
    assert got.value.service == "anilist"
    assert getattr(got.value, "seconds", None) == seconds


def test_a_refused_token_is_told_once_and_never_for_a_reading_by_name(web: Any) -> None:
    refused: list[str] = []
    web.post(URL, **_error(400, "Invalid token"))
    with pytest.raises(Reconnect):
        _client(refused=refused.append).viewer()
    with pytest.raises(BadData):
        _client(token=None, refused=refused.append).user("hanako")
    assert refused == ["jwt"]


def test_a_server_error_inside_a_good_answer_is_tried_again(web: Any) -> None:
    web.post(URL, **_error(500, "Internal Server Error", http=200))
    web.post(URL, **_data(Viewer={"id": 7, "name": "hanako"}))
    assert _client().viewer().account_id == "7"


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["id", "media", "status", "progress", "createdAt", "title", "entries", "lists", "name", "year"]), inner, max_size=6
    ),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=60)
@given(_json)
def test_nothing_that_comes_breaks_the_parser(value: Any) -> None:
    for read in (
        parse.viewer,
        parse.media,
        parse.entry,
        lambda v: parse.activities([v]),
        lambda v: parse.collection({"MediaListCollection": v}, {}),
        parse.partial_date,
    ):
        try:
            read(value)
        except BadData as error:
            assert error.detail  # noqa: PT017 - either outcome is right, but a refusal needs its sentence


def test_a_limit_that_comes_with_status_200_holds_everybody_back(web: Any) -> None:
    store = LocalStore(lambda: 1000.0)
    transport = Transport("anilist", agent="Tsuzuki/test", sleep=lambda _s: None, retries=0)
    client = AniList(transport, URL, referer="https://t.example", token="jwt", pace=Bucket(anilist(), store))
    web.post(URL, **_error(429, "Too Many Requests.", http=200))
    with pytest.raises(RateLimited):
        client.viewer()
    assert store.blocked_for(anilist()) == 60.0
