"""The stand-in AniList behaves as the real one is known to."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.simulator.conftest import Clock, Door
from webapp.simulator import constants

LIST = """query ($id: Int, $name: String, $chunk: Int, $per: Int) {
  MediaListCollection(userId: $id, userName: $name, type: ANIME, chunk: $chunk, perChunk: $per, forceSingleCompletedList: true) {
    hasNextChunk user { id name }
    lists { name isCustomList status entries {
      id mediaId status progress private hiddenFromStatusLists score(format: POINT_100) customLists
      startedAt { year month day } media { id episodes title { english } coverImage { large } nextAiringEpisode { episode airingAt } }
    } }
  }
}"""
ACTIVITIES = """query ($u: Int, $p: Int, $per: Int, $since: Int) {
  Page(page: $p, perPage: $per) { pageInfo { hasNextPage total }
    activities(userId: $u, type: ANIME_LIST, createdAt_greater: $since, sort: [ID]) {
      __typename ... on ListActivity { id status progress createdAt media { id episodes } } } }
}"""
OWN = {"id": constants.ANILIST_USER_ID}


def rows_of(body: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    lists = body["data"]["MediaListCollection"]["lists"]
    return [(group["name"], entry) for group in lists for entry in group["entries"]]


def test_the_owner_sees_private_entries_and_nobody_else_does(door: Door) -> None:
    own = {entry["mediaId"] for _, entry in rows_of(door.graphql(LIST, OWN).json)}
    public = {entry["mediaId"] for _, entry in rows_of(door.graphql(LIST, {"name": "Hanako"}, Authorization=None).json)}
    assert own - public == {20807}


def test_an_entry_stands_in_each_of_its_lists_and_a_hidden_one_in_custom_lists_only(door: Door) -> None:
    rows = rows_of(door.graphql(LIST, OWN).json)
    assert [name for name, entry in rows if entry["mediaId"] == 98444] == ["Comfort"]
    assert sorted(name for name, entry in rows if entry["mediaId"] == 154587) == [
        "Comfort",
        "Completed",
        "Watched together",
    ]
    assert len({entry["id"] for _, entry in rows}) == 65


def test_chunks_cut_the_flat_list_and_the_last_one_says_so(door: Door) -> None:
    seen: set[int] = set()
    for chunk in (1, 2, 3):
        body = door.graphql(LIST, OWN | {"chunk": chunk, "per": 30}).json
        part = {entry["id"] for _, entry in rows_of(body)}
        assert not part & seen
        seen |= part
        assert body["data"]["MediaListCollection"]["hasNextChunk"] is (chunk < 3)
    assert len(seen) == 65


def test_an_airing_title_has_no_length_and_its_next_episode_is_ahead(door: Door, clock: Clock) -> None:
    media = next(e["media"] for _, e in rows_of(door.graphql(LIST, OWN).json) if e["mediaId"] == 182255)
    assert media["episodes"] is None
    assert media["nextAiringEpisode"] == {"episode": 7, "airingAt": int(clock.now) + 5 * 86_400}


def test_without_referer_the_api_is_disabled(door: Door) -> None:
    answer = door.graphql("{ Viewer { id } }", Referer=None)
    assert answer.status_code == 403
    assert "temporarily disabled" in answer.json["errors"][0]["message"]


def test_an_unknown_token_is_a_400_with_its_body(door: Door) -> None:
    answer = door.graphql("{ Viewer { id } }", Authorization="Bearer nonsense")
    assert answer.status_code == 400
    assert answer.json["data"] == {"Viewer": None}
    assert answer.json["errors"][0]["message"] == "Invalid token"


def test_unknown_and_closed_profiles_are_404(door: Door) -> None:
    for name in ("nobody-at-all", constants.HIDDEN_ANILIST_USER_NAME):
        answer = door.graphql("query ($n: String) { User(name: $n) { id } }", {"n": name}, Authorization=None)
        assert (answer.status_code, answer.json["errors"][0]["status"]) == (404, 404)


def test_an_unknown_field_is_a_400_that_names_it(door: Door) -> None:
    answer = door.graphql("{ Viewer { shoeSize } }")
    assert answer.status_code == 400
    assert answer.json["errors"][0]["message"].startswith("Cannot query field 'shoeSize'")


def test_pages_hold_fifty_at_most_and_cover_every_activity_once(door: Door) -> None:
    ids: list[int] = []
    page, more = 1, True
    while more:
        body = door.graphql(ACTIVITIES, {"u": constants.ANILIST_USER_ID, "p": page, "per": 500}).json["data"]["Page"]
        assert len(body["activities"]) <= 50
        ids += [row["id"] for row in body["activities"]]
        more = body["pageInfo"]["hasNextPage"]
        page += 1
    assert page > 3
    assert ids == sorted(set(ids))


def test_activities_have_ranges_single_episodes_and_completed_rows(door: Door) -> None:
    rows: list[dict[str, Any]] = []
    for page in range(1, 7):
        rows += door.graphql(ACTIVITIES, {"u": constants.ANILIST_USER_ID, "p": page}).json["data"]["Page"]["activities"]
    assert any(re.fullmatch(r"\d+ - \d+", row["progress"] or "") for row in rows)
    assert any((row["progress"] or "").isdigit() for row in rows)
    assert all(row["progress"] is None for row in rows if row["status"] == "completed")
    assert {"watched episode", "rewatched episode", "completed", "paused watching", "dropped"} <= {
        r["status"] for r in rows
    }


def test_a_page_takes_one_data_field(door: Door) -> None:
    query = "query ($u: Int) { Page { media(id: 1) { id } mediaList(userId: $u) { id } } }"
    assert door.graphql(query, {"u": constants.ANILIST_USER_ID}).status_code == 400


def test_aliases_share_one_request(door: Door) -> None:
    query = """query ($u: Int) { Viewer { id options { timezone } }
      news: Page(perPage: 2) { activities(userId: $u, sort: [ID_DESC]) { ... on ListActivity { id } } pageInfo { hasNextPage } }
      changed: Page(perPage: 50) { mediaList(userId: $u, type: ANIME, sort: [UPDATED_TIME_DESC]) { mediaId updatedAt } }
      known: Page { media(id_in: [1, 21, 4711], type: ANIME) { id title { romaji } } } }"""
    data = door.graphql(query, {"u": constants.ANILIST_USER_ID}).json["data"]
    assert data["Viewer"] == {"id": constants.ANILIST_USER_ID, "options": {"timezone": "+01:00"}}
    assert data["news"]["pageInfo"] == {"hasNextPage": True}
    times = [row["updatedAt"] for row in data["changed"]["mediaList"]]
    assert times == sorted(times, reverse=True)
    assert [row["id"] for row in data["known"]["media"]] == [1, 21]


def test_the_limit_answers_429_with_its_headers_and_ends_after_a_minute(door: Door, clock: Clock) -> None:
    door.control("settings", {"enforce_limits": True, "anilist_limit": 2})
    assert [door.graphql("{ Viewer { id } }").headers["X-RateLimit-Remaining"] for _ in range(2)] == ["1", "0"]
    refused = door.graphql("{ Viewer { id } }")
    assert (refused.status_code, refused.json) == (
        429,
        {"data": None, "errors": [{"message": "Too Many Requests.", "status": 429}]},
    )
    clock.now += int(refused.headers["Retry-After"])
    assert door.graphql("{ Viewer { id } }").status_code == 200


def test_watching_on_folds_into_one_activity(door: Door, clock: Clock) -> None:
    for progress in ("6", "7"):
        door.control(
            "entries",
            {
                "media_id": 182255,
                "changes": {"progress": int(progress)},
                "activity": {"status": "watched episode", "progress": progress},
            },
        )
        clock.now += 60
    body = door.graphql(ACTIVITIES, {"u": constants.ANILIST_USER_ID, "since": int(clock.now) - 600}).json
    assert [row["progress"] for row in body["data"]["Page"]["activities"]] == ["6 - 7"]


def test_another_viewer_id_takes_list_and_activities_along(door: Door) -> None:
    door.control("viewer", {"id": 99})
    assert door.graphql("{ Viewer { id } }").json["data"]["Viewer"]["id"] == 99
    assert len(rows_of(door.graphql(LIST, {"id": 99}).json)) > 60


def test_authorization_code_gives_a_token_in_the_shape_of_a_jwt(door: Door) -> None:
    asked = {"client_id": constants.ANILIST_CLIENT_ID, "redirect_uri": "http://x/back", "response_type": "code"}
    assert b"Approve" in door.client.get("/anilist/oauth/authorize", query_string=asked).data
    sent = door.client.post("/anilist/oauth/authorize", data={**asked, "account": "kenji", "answer": "approve"})
    code = sent.headers["Location"].partition("code=")[2]
    body = {**asked, "client_secret": constants.ANILIST_CLIENT_SECRET, "grant_type": "authorization_code", "code": code}
    token = door.client.post("/anilist/oauth/token", json=body).json["access_token"]
    assert len(token.split(".")) == 3
    viewer = door.graphql("{ Viewer { name } }", Authorization=f"Bearer {token}").json["data"]["Viewer"]
    assert viewer == {"name": "kenji"}
    assert door.client.post("/anilist/oauth/token", json=body).status_code == 400


def test_errors_may_come_with_status_200(door: Door) -> None:
    door.control("faults", {"kind": "graphql_error_200", "service": "anilist"})
    answer = door.graphql("{ Viewer { id } }")
    assert answer.status_code == 200
    assert json.loads(answer.data)["errors"][0]["status"] == 500
