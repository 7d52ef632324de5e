"""A person's Trakt account: who it is, everything it has watched, and posting plays.

Reads are repeated by `jobs.transport` and complete or an error; writes go out once. Every method waits for its turn:
500 signed reads in 5 minutes, one write in 1.1 seconds. Reference: https://docs.trakt.tv/#reference/sync
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from jobs.answers import Answer, Written
from jobs.deadline import clock
from jobs.errors import BadData, IncompleteRead, RateLimited, Reconnect, ServiceDown, Settling, Stops
from jobs.records import Picture, Play, Receipt, Watched
from jobs.said import said
from jobs.targets.trakt_extras import TraktExtras
from jobs.targets.trakt_http import all_pages, check, format_time, headers, identifier, json_of, number, parse_time
from jobs.targets.trakt_writes import Removal, history_body, receipt, removal
from jobs.transport import Pace, Transport

__all__ = ["HistoryRow", "Removal", "Trakt", "TraktAccount"]

SHOWS_PAGE = 100  # the most with `extended=progress`
PAGE = 250
COMES_TO_REST = 30.0  # seconds until readings that kept changing are tried again


@dataclass(frozen=True, slots=True)
class TraktAccount:
    """Who is signed in. `timezone` is an IANA name; `watch_only_once`: a second play of an episode replaces the first."""

    account_id: str
    name: str
    vip: bool
    watch_only_once: bool
    timezone: str | None
    details: dict[str, Any]


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One watched event. `watched_at` None: unknown. Movies have season and number 0."""

    history_id: int
    watched_at: datetime | None
    action: str  # scrobble, checkin, watch
    kind: Literal["episode", "movie"]
    trakt_id: int  # of the show or movie
    season: int
    number: int
    title: str = ""  # of the show or movie


class Trakt:
    """Trakt as one signed-in person."""

    def __init__(
        self,
        transport: Transport,
        url: str,
        *,
        client_id: str,
        token: Callable[[], str | None],
        renew: Callable[[str], str | None],
        reads: Pace | None = None,
        writes: Pace | None = None,
    ) -> None:
        """`token` gives the access token to use, `renew` a newer one than the refused; None: sign in again."""
        self._transport = transport
        self._url = url
        self._client_id = client_id
        self._token = token
        self._renew = renew
        self._reads = reads
        self._writes = writes
        self._moved: dict[str, Any] = {}  # the newest last activities, whole

    def account(self) -> TraktAccount:
        """Who is signed in, and how the account counts. Raises BadData without an id that stays."""
        data = json_of(self._read("/users/settings", {"extended": "browsing"}), said("settings"))
        data = data if isinstance(data, dict) else {}
        user, browsing = _part(data, "user"), _part(data, "browsing")
        uuid = _part(user, "ids").get("uuid")
        if not isinstance(uuid, str) or not uuid:
            raise BadData(said("Trakt's settings do not name the account."), service="trakt")
        details = {"private": bool(user.get("private")), "limits": _part(data, "limits")}
        return TraktAccount(
            account_id=uuid,
            name=str(user.get("username") or user.get("name") or ""),
            vip=any(user.get(name) is True for name in ("vip", "vip_ep", "vip_og")),
            watch_only_once=browsing.get("watch_only_once") is True,
            timezone=_part(data, "account").get("timezone") or None,
            details=details,
        )

    def last_activities(self) -> dict[str, str]:
        """`{"episodes": iso, "movies": iso}`: when something was last added to or taken from the history."""
        data = json_of(self._read("/sync/last_activities", {}), said("last activities"))
        data = data if isinstance(data, dict) else {}
        self._moved = data
        found = {}
        for name in ("episodes", "movies"):
            part = data.get(name)
            if not isinstance(part, dict) or "watched_at" not in part:
                raise BadData(said("Trakt's last activities do not name the history."), service="trakt")
            found[name] = str(part["watched_at"] or "")
        return found

    def picture(self, account_id: str) -> Picture:
        """Everything that the account has watched, from one complete reading.

        Season 0 is left out unless `specials=true` is sent. What moves while reading makes it read once more, up to
        three times: then Settling is raised, since plays that were just sent appear in Trakt's readings one batch after
        the other. Raises IncompleteRead for pages that do not fit although nothing moved.
        """
        for _attempt in range(3):
            began_at = datetime.now(UTC)
            before = self.last_activities()
            try:
                episodes, movies = self._episodes(), self._movies()
            except IncompleteRead:
                if self.last_activities() == before:
                    raise
                continue
            if self.last_activities() == before:
                return Picture(account_id, began_at, before, episodes, movies)
        raise Settling(said("Trakt's history kept changing while it was read."), service="trakt", seconds=COMES_TO_REST)

    def _episodes(self) -> dict[tuple[int, int, int], Watched]:
        params = {"extended": "progress", "specials": "true", "hidden": "true"}
        rows = all_pages(
            self._read, "/sync/watched/shows", params, limit=SHOWS_PAGE, what=said("watched shows"), key=_id_of("show")
        )
        found: dict[tuple[int, int, int], Watched] = {}
        for row in rows:
            trakt_id, seasons = _id_of("show")(row), row.get("seasons")
            if not isinstance(seasons, list) or (not seasons and row.get("plays")):
                raise _unreadable(trakt_id)
            for season in seasons:
                _add_season(found, trakt_id, season)
        return found

    def _movies(self) -> dict[int, Watched]:
        rows = all_pages(
            self._read, "/sync/watched/movies", {}, limit=PAGE, what=said("watched movies"), key=_id_of("movie")
        )
        found = {}
        for row in rows:
            trakt_id, plays = _id_of("movie")(row), number(row.get("plays"))
            if plays is None:
                raise _unreadable(trakt_id)
            found[trakt_id] = Watched(plays, parse_time(row.get("last_watched_at")))
        return found

    def show_history(self, trakt_id: int, start_at: datetime | None, end_at: datetime | None) -> list[HistoryRow]:
        """All watched events of a show between two times, both included. Raises IncompleteRead."""
        return self._history("shows", trakt_id, start_at, end_at)

    def movie_history(self, trakt_id: int, start_at: datetime | None, end_at: datetime | None) -> list[HistoryRow]:
        """The same for a movie."""
        return self._history("movies", trakt_id, start_at, end_at)

    def whole_history(self) -> list[HistoryRow]:
        """Every watched event up to a minute from now: one request per 250 of them. Raises IncompleteRead."""
        params = {
            "end_at": format_time(datetime.now(UTC) + timedelta(minutes=1))
        }  # what is seen meanwhile shifts nothing
        return [_any_history_row(row) for row in self._history_rows("/sync/history", params)]

    def _history(
        self, kind: Literal["shows", "movies"], trakt_id: int, start_at: datetime | None, end_at: datetime | None
    ) -> list[HistoryRow]:
        params = {name: format_time(at) for name, at in (("start_at", start_at), ("end_at", end_at)) if at is not None}
        return [
            _history_row(row, kind, trakt_id) for row in self._history_rows(f"/sync/history/{kind}/{trakt_id}", params)
        ]

    def _history_rows(self, path: str, params: Mapping[str, Any]) -> list[Any]:
        try:
            return all_pages(self._read, path, params, limit=PAGE, what=said("history"), key=_history_id)
        except IncompleteRead:  # a play that was added or removed meanwhile shifts the pages
            return all_pages(self._read, path, params, limit=PAGE, what=said("history"), key=_history_id)

    def post_plays(self, plays: Sequence[Play]) -> Receipt:
        """Post these plays with one request, which is never repeated; only a 401 is, once, with a renewed token.

        Never raises for what Trakt does: the receipt says applied, refused or doubt, and `added` how many plays
        Trakt counted, which may be less than were sent. After `HTTP_WRITE_SECONDS`, and the few seconds that it may
        wait for its turn, nothing of it is under way any more.
        """
        return receipt(self._write("/sync/history", history_body(plays)))

    def remove_history(self, ids: Sequence[int]) -> Removal:
        """Remove plays by history id with one request; safe to repeat. Raises ValueError without ids."""
        if not ids:
            raise ValueError("no history ids")
        return removal(self._write("/sync/history/remove", {"ids": list(ids)}))

    @property
    def extras(self) -> TraktExtras:
        """Its ratings, watchlist and dropped shows."""
        return TraktExtras(self._read, self._write, self._moved)

    def _read(self, path: str, params: Mapping[str, Any]) -> Answer:
        token = self._token()
        answer = self._get(path, params, token) if token else None
        if token and answer is not None and answer.status == 401:
            token = self._renew(token)
            answer = self._get(path, params, token) if token else None
        if answer is None or answer.status == 401:
            raise Reconnect("trakt", said("Trakt does not know our sign-in any more."), status=401)
        return check(answer, said("such page"))

    def _get(self, path: str, params: Mapping[str, Any], token: str) -> Answer:
        return self._transport.read(
            "GET", self._url + path, params=params, headers=headers(self._client_id, token), pace=self._reads
        )

    def _write(self, path: str, body: Mapping[str, Any]) -> Written:
        """One write within one total deadline; errors before anything left become an answer that says so."""
        began = clock()
        try:
            if not (token := self._token()):
                return _refused(401, said("no token"))
            written = self._send(path, body, token, began)
            if written.status != 401 or not (token := self._renew(token)):
                return written
            return self._send(path, body, token, began)  # a 401 is a refusal: nothing was posted, so this is safe
        except RateLimited as error:
            return Written("answered", 429, detail=error.detail, retry_after=error.seconds)
        except ServiceDown as error:  # this and the next: of the token's renewal
            return Written("not_sent", detail=error.detail, retry_after=error.seconds)
        except Stops as error:
            return _refused(error.status or 403, error.detail)

    def _send(self, path: str, body: Mapping[str, Any], token: str, began: float) -> Written:
        left = self._transport.write_seconds - (clock() - began)
        if left <= 0:
            return Written("not_sent", detail=said("took too long to renew the sign-in"))
        return self._transport.write(
            "POST",
            self._url + path,
            body=body,
            headers=headers(self._client_id, token),
            pace=self._writes,
            seconds=left,
        )


def _refused(status: int, detail: str) -> Written:
    return Written("answered", status, detail=detail)


def _part(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    part = data.get(name)
    return part if isinstance(part, dict) else {}


def _unreadable(trakt_id: int) -> IncompleteRead:
    return IncompleteRead(
        said("Trakt's row of the watched title %(id)s cannot be read.", id=str(trakt_id)),
        service="trakt",
    )


def _id_of(kind: str) -> Callable[[Any], int]:
    """The Trakt id of a row of a watched list."""

    def read(row: Any) -> int:
        found = identifier(_part(_part(row, kind), "ids").get("trakt")) if isinstance(row, dict) else None
        if found is None:
            raise IncompleteRead(said("Trakt's watched titles hold a row without an id."), service="trakt")
        return found

    return read


def _add_season(found: dict[tuple[int, int, int], Watched], trakt_id: int, season: Any) -> None:
    season = season if isinstance(season, dict) else {}
    season_number, episodes = number(season.get("number")), season.get("episodes")
    if season_number is None or not isinstance(episodes, list):
        raise _unreadable(trakt_id)
    for episode in episodes:
        episode = episode if isinstance(episode, dict) else {}
        episode_number, plays = number(episode.get("number")), number(episode.get("plays"))
        key = (trakt_id, season_number, episode_number or 0)
        if episode_number is None or plays is None or key in found:
            raise _unreadable(trakt_id)
        found[key] = Watched(plays, parse_time(episode.get("last_watched_at")))


def _history_id(row: Any) -> int:
    """History ids are 64-bit and may come as text."""
    value = row.get("id") if isinstance(row, dict) else None
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 2**63:
        raise IncompleteRead(said("Trakt's history holds a row without an id."), service="trakt")
    return value


def _history_row(row: dict[str, Any], kind: Literal["shows", "movies"], trakt_id: int) -> HistoryRow:
    episode = _part(row, "episode")
    season, episode_number = number(episode.get("season")), number(episode.get("number"))
    if kind == "shows" and (season is None or episode_number is None):
        raise IncompleteRead(said("Trakt's history holds a row without its episode."), service="trakt")
    return HistoryRow(
        history_id=_history_id(row),
        watched_at=parse_time(row.get("watched_at")),
        action=str(row.get("action") or ""),
        kind="episode" if kind == "shows" else "movie",
        trakt_id=trakt_id,
        season=season or 0,
        number=episode_number or 0,
        title=str(_part(row, kind.removesuffix("s")).get("title") or ""),
    )


def _any_history_row(row: dict[str, Any]) -> HistoryRow:
    kind: Literal["shows", "movies"] = "movies" if row.get("type") == "movie" else "shows"
    return _history_row(row, kind, _id_of(kind.removesuffix("s"))(row))
