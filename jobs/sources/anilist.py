"""Reading AniList: the account, its list, its activities, and titles. All reads are POSTs of GraphQL.

AniList answers errors with status 200 as well as with their own; a token that is not valid any more comes as
400 "Invalid token". Every request carries our address as Referer: since August 2026 requests without one are often
turned away with 403. Reference: https://docs.anilist.co/guide/graphql/
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jobs.answers import Answer, Unreadable
from jobs.errors import BadData, IncompleteRead, NotFound, Reconnect, ServiceDown
from jobs.records import Activity, ListEntry, MediaInfo
from jobs.said import said
from jobs.sources import anilist_parse as parse
from jobs.sources import anilist_queries as queries
from jobs.sources.anilist_parse import Viewer
from jobs.transport import Pace, Transport, TryAgain

__all__ = ["AniList", "Changes", "Viewer"]

MOST_PAGES = 1000  # a page of 50; nobody has more, a loop would
MOST_CHUNKS = 200
OUTAGE_SECONDS = 900.0
LIMIT_SECONDS = 60.0  # of the time-out that follows too many requests, where no header says how long


@dataclass(frozen=True, slots=True)
class Changes:
    """What one request says of an account. `more_entries`: the page ended before `changed_since` was reached."""

    viewer: Viewer | None
    activities: list[Activity]
    more_activities: bool
    entries: list[ListEntry]
    more_entries: bool
    media: list[MediaInfo]


class AniList:
    """AniList as one person sees it; without a token, as everybody does."""

    def __init__(
        self,
        transport: Transport,
        url: str,
        *,
        referer: str,
        token: str | None = None,
        pace: Pace | None = None,
        on_refused: Callable[[str], None] | None = None,
        check: Callable[[], None] | None = None,
    ) -> None:
        """`on_refused` is told the token when AniList does not know it any more; `check` is called before each request
        and may raise what ends the run, so that a long list is not read to its end first."""
        self._transport = transport
        self._url = url
        self._token = token
        self._pace = pace
        self._on_refused = on_refused
        self._check = check
        self._headers = {"Referer": referer} | ({"Authorization": f"Bearer {token}"} if token else {})

    @property
    def signed_in(self) -> bool:
        return self._token is not None

    def viewer(self) -> Viewer:
        """Whose token this is. Raises Reconnect without one."""
        if self._token is None:
            raise Reconnect("anilist", said("AniList is connected by name only."))
        return parse.viewer(self._ask(queries.VIEWER).get("Viewer"))

    def user(self, name: str) -> Viewer:
        """The account of this name. Raises NotFound when there is none, or when it is private."""
        return parse.viewer(self._ask(queries.USER, name=name).get("User"))

    def whole_list(self, account_id: str) -> list[ListEntry]:
        """Every entry in every status, once each. Raises IncompleteRead when AniList repeats a part."""
        known: dict[int, ListEntry] = {}
        before: set[int] = set()
        for chunk in range(1, MOST_CHUNKS + 1):
            data = self._ask(queries.WHOLE_LIST, user=int(account_id), chunk=chunk, perChunk=queries.PER_CHUNK)
            seen, more = parse.collection(data, known)
            if not more:
                return list(known.values())
            if not seen or seen == before:
                break
            before = seen
        raise IncompleteRead(said("AniList repeated part %(chunk)s of the list", chunk=str(chunk)), service="anilist")

    def changes(
        self,
        account_id: str,
        *,
        activities_since: datetime,
        changed_since: datetime,
        media_ids: Sequence[int] = (),
    ) -> Changes:
        """What is new, in one request: activities after a time (oldest first), entries by last change, given titles."""
        if len(media_ids) > queries.PER_PAGE:
            raise ValueError(f"at most {queries.PER_PAGE} titles")
        query = queries.changes(viewer=self.signed_in, media=bool(media_ids))
        variables: dict[str, Any] = {"user": int(account_id), "since": int(activities_since.timestamp())}
        if media_ids:
            variables["ids"] = list(media_ids)
        data = self._ask(query, **variables)
        activities, more_activities = _page(data.get("activities"), "activities")
        entries, more_entries = _page(data.get("entries"), "mediaList")
        found = parse.entries(entries)
        return Changes(
            viewer=parse.viewer(data.get("Viewer")) if self.signed_in else None,
            activities=parse.activities(activities),
            more_activities=more_activities,
            entries=found,
            more_entries=more_entries and _reaches(found, changed_since),
            media=[parse.media(row) for row in _page(data.get("media"), "media")[0]] if media_ids else [],
        )

    def activities(
        self, account_id: str, *, since: datetime | None, max_pages: int | None, newest_first: bool = False
    ) -> list[Activity]:
        """List activities after `since`, at most so many pages of 50; sorted by id, each once."""
        variables: dict[str, Any] = {"user": int(account_id), "sort": ["ID_DESC" if newest_first else "ID"]}
        if since is not None:
            variables["since"] = int(since.timestamp())
        known: dict[int, Activity] = {}
        for page in range(1, (max_pages or MOST_PAGES) + 1):
            rows, more = _page(self._ask(queries.ACTIVITIES, page=page, **variables).get("Page"), "activities")
            found = parse.activities(rows)
            news = [row for row in found if row.activity_id not in known]
            known.update((row.activity_id, row) for row in found)
            if not more:
                break
            if found and not news:
                raise IncompleteRead(
                    said("AniList repeated page %(page)s of the activities", page=str(page)), service="anilist"
                )
        return [known[activity_id] for activity_id in sorted(known, reverse=newest_first)]

    def changed_entries(self, account_id: str, since: datetime, *, page: int = 2) -> list[ListEntry]:
        """Entries by last change from this page on, until one is older than `since`; each once."""
        known: dict[int, ListEntry] = {}
        for number in range(page, page + MOST_PAGES):
            rows, more = _page(self._ask(queries.CHANGED, user=int(account_id), page=number).get("Page"), "mediaList")
            found = parse.entries(rows)
            known.update((row.list_entry_id, row) for row in found)
            if not more or not _reaches(found, since):
                break
        return list(known.values())

    def media(self, ids: Sequence[int]) -> list[MediaInfo]:
        """Titles by id, 50 a request; unknown ones are left out."""
        found = []
        wanted = list(dict.fromkeys(ids))
        for start in range(0, len(wanted), queries.PER_PAGE):
            data = self._ask(queries.MEDIA, ids=wanted[start : start + queries.PER_PAGE])
            found += [parse.media(row) for row in _page(data.get("Page"), "media")[0]]
        return found

    def entry(self, account_id: str, anilist_id: int) -> ListEntry | None:
        """The entry of one title, or None when it is not on the list."""
        data = self._ask(queries.ENTRY, user=int(account_id), media=anilist_id)
        rows = parse.entries(_page(data.get("Page"), "mediaList")[0])
        return next((row for row in rows if row.anilist_id == anilist_id), None)

    def _ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The `data` of one query without errors. Raises `jobs.errors`."""
        if self._check is not None:
            self._check()
        answer = self._transport.read(
            "POST",
            self._url,
            body={"query": query, "variables": variables},
            headers=self._headers,
            pace=self._pace,
            judge=self._judge,
        )
        errors, data = _parts(answer)
        if errors or not answer.ok:
            self._raise(answer.status, errors)
        if not isinstance(data, dict):
            raise BadData(said("AniList answered without data"), service="anilist", status=answer.status)
        return data

    def _judge(self, answer: Answer) -> None:
        """Errors of the server that come with status 200 are tried again like those with their own status."""
        if not answer.ok:
            return
        errors, _data = _parts(answer)
        status = _status(errors)
        if status == 429 and self._pace is not None:  # everybody waits, not this request alone
            self._pace.heard(429, {"Retry-After": str(LIMIT_SECONDS), **answer.headers})
        if status is not None and (status in (408, 429) or status >= 500):
            after = LIMIT_SECONDS if status == 429 else None
            raise TryAgain(
                said("answered 200 with an error %(status)s", status=str(status)), status=status, after=after
            )

    def _raise(self, http_status: int, errors: list[dict[str, Any]]) -> None:
        status = _status(errors) or http_status
        message = (
            str(errors[0].get("message") or "")[:300]
            if errors
            else said("answered %(status)s", status=str(http_status))
        )
        lost = status == 401 or (status == 400 and "invalid token" in message.lower())
        if lost and self._token is not None:
            if self._on_refused is not None:
                self._on_refused(self._token)
            raise Reconnect("anilist", said("AniList does not know our sign-in any more."), status=status)
        if status == 403:
            why = said("AniList turns requests away: %(message)s", message=message)
            raise ServiceDown(why, service="anilist", status=status, seconds=OUTAGE_SECONDS)
        if status == 404:
            raise NotFound(said("AniList does not know that, or it is private."), service="anilist", status=status)
        raise BadData(
            said("AniList refused the request: %(message)s", message=message), service="anilist", status=status
        )


def _parts(answer: Answer) -> tuple[list[dict[str, Any]], Any]:
    """The errors and the data of an answer; both empty when it is no JSON."""
    try:
        body = answer.json()
    except Unreadable:
        return [], None
    if not isinstance(body, dict):
        return [], None
    errors = body.get("errors") or []
    return [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else [], body.get("data")


def _status(errors: Sequence[dict[str, Any]]) -> int | None:
    return next((error["status"] for error in errors if isinstance(error.get("status"), int)), None)


def _page(value: Any, name: str) -> tuple[list[Any], bool]:
    """Rows of a `Page` and whether another one follows; `total` and `lastPage` are wrong, AniList says."""
    page = parse.mapping(value, f"a page of {name}")
    return parse.rows(page.get(name), name), bool((page.get("pageInfo") or {}).get("hasNextPage"))


def _reaches(entries: Sequence[ListEntry], since: datetime) -> bool:
    """Whether all of these changed at `since` or later, so that older pages may hold more of them."""
    return bool(entries) and all(row.updated_at is not None and row.updated_at >= since for row in entries)
