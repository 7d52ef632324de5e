"""Which entries the caches give to one show, with what each source says of them. Pure.

A chain does not depend on anybody's list: it holds every entry that the caches know, so that an entry lands in the
same place for everyone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from jobs.mapping.rows import AnidbRow, AnidbRule, IdRow, Side
from jobs.mapping.sequels import Sequel, sequel_of
from jobs.records import MediaInfo

ABSOLUTE = "a"


@dataclass(frozen=True, slots=True)
class Saying:
    """What one source says: season (None: absolute numbering over all seasons) and episodes to skip in it."""

    source: str  # fribbs, anime_lists, otaku
    side: Side  # whose numbering the source follows
    season: int | None
    offset: int
    rules: tuple[AnidbRule, ...] = ()  # of Anime-Lists, for regular episodes of this side

    @property
    def regular(self) -> bool:
        return self.season is None or self.season > 0

    def __str__(self) -> str:
        season = "absolute" if self.season is None else f"S{self.season}"
        return f"{self.side.upper()} {season} E{self.offset + 1}"


@dataclass(slots=True)
class Link:
    """One entry of the caches. `anilist_id` is None where the sources know only its MyAnimeList id."""

    anilist_id: int | None
    mal_id: int | None = None
    otaku: IdRow | None = None
    fribbs: IdRow | None = None
    anidb: AnidbRow | None = None
    media: MediaInfo | None = None
    sequel: Sequel | None = None  # only where no source has an id
    _sayings: tuple[Saying, ...] | None = None

    @property
    def key(self) -> int:
        """Unique in a chain: the AniList id, or the MyAnimeList id as a negative number."""
        return self.anilist_id if self.anilist_id is not None else -(self.mal_id or 0)

    @property
    def anidb_id(self) -> int | None:
        return (self.fribbs and self.fribbs.anidb_id) or (self.otaku and self.otaku.anidb_id) or None

    @property
    def tmdb_show_id(self) -> int | None:
        return (
            (self.fribbs and self.fribbs.tmdb_show_id)
            or (self.anidb and self.anidb.tmdb_show_id)
            or (self.otaku and self.otaku.tmdb_show_id)
            or (self.sequel and self.sequel.first.tmdb_show_id)
            or None
        )

    @property
    def tvdb_id(self) -> int | None:
        return (
            (self.fribbs and self.fribbs.tvdb_id)
            or (self.anidb and self.anidb.tvdb_id)
            or (self.otaku and self.otaku.tvdb_id)
            or (self.sequel and self.sequel.first.tvdb_id)
            or None
        )

    @property
    def otaku_show(self) -> int | None:
        return self.otaku.trakt_id if self.otaku and self.otaku.trakt_kind == "show" else None

    @property
    def otaku_movie(self) -> int | None:
        return self.otaku.trakt_id if self.otaku and self.otaku.trakt_kind == "movie" else None

    @property
    def tmdb_movie_ids(self) -> tuple[int, ...]:
        """TMDB movies of the entry. An id that is the show's own is not one: Otaku files those under movies too."""
        ids = (*(self.fribbs.tmdb_movie_ids if self.fribbs else ()), *(self.anidb.tmdb_movie_ids if self.anidb else ()))
        return tuple(dict.fromkeys(i for i in ids if i != self.tmdb_show_id))

    @property
    def otaku_tmdb_movie_ids(self) -> tuple[int, ...]:
        return tuple(i for i in (self.otaku.tmdb_movie_ids if self.otaku else ()) if i != self.tmdb_show_id)

    @property
    def has_ids(self) -> bool:
        """Whether any source knows a show or movie for it."""
        known = self.tmdb_show_id or self.tvdb_id or self.otaku_show or self.otaku_movie
        return bool(known or self.tmdb_movie_ids or self.otaku_tmdb_movie_ids or self.imdb_ids)

    @property
    def imdb_ids(self) -> tuple[str, ...]:
        rows = (self.fribbs, self.anidb, self.otaku)
        return tuple(dict.fromkeys(i for row in rows if row for i in row.imdb_ids))

    @property
    def format(self) -> str | None:
        """AniList's word, else Otaku's, else Fribbs's."""
        for said in (self.media, self.otaku, self.fribbs):
            if said and said.format and said.format != "UNKNOWN":
                return said.format
        return None

    @property
    def episodes(self) -> int | None:
        """Known length: AniList's, else Otaku's."""
        if self.media and self.media.episodes:
            return self.media.episodes
        if self.media and self.media.status == "RELEASING":
            return None  # what another source counts so far is no length
        return (self.otaku and self.otaku.media_to) or None

    @property
    def sayings(self) -> tuple[Saying, ...]:
        """What the sources say of the season, the strongest first: TMDB's numbering, TVDB's, then Otaku's."""
        if self._sayings is None:
            self._sayings = tuple(_sayings(self))
        return self._sayings

    def follow(self, sequel: Sequel | None) -> None:
        """Take what its title says where no source says anything."""
        self.sequel, self._sayings = sequel, None

    @property
    def is_regular(self) -> bool:
        """Whether the strongest source puts the entry into a regular season."""
        return bool(self.sayings) and self.sayings[0].regular


def _sayings(link: Link) -> Iterator[Saying]:
    fribbs, anidb, otaku = link.fribbs, link.anidb, link.otaku
    for side in ("tmdb", "tvdb"):
        season = fribbs and (fribbs.season_tmdb if side == "tmdb" else fribbs.season_tvdb)
        rules = tuple(r for r in anidb.rules if r.side == side and r.anidb_season == 1) if anidb else ()
        if fribbs and season is not None:
            offset = (fribbs.offset_tmdb if side == "tmdb" else fribbs.offset_tvdb) or 0
            yield Saying("fribbs", side, season, offset, rules)
        elif anidb:
            word = anidb.tmdb_season if side == "tmdb" else anidb.tvdb_season
            known = anidb.tmdb_show_id if side == "tmdb" else anidb.tvdb_id
            offset = (anidb.tmdb_offset if side == "tmdb" else anidb.tvdb_offset) or 0
            if word is not None and known:
                number = None if word == ABSOLUTE else int(word)
                yield Saying("anime_lists", side, number, offset, rules)
    if otaku and otaku.tvdb_season is not None and otaku.tvdb_id:
        number = None if otaku.tvdb_season == ABSOLUTE else int(otaku.tvdb_season)
        yield Saying("otaku", "tvdb", number, (otaku.global_from or 1) - 1)
    if link.sequel:
        yield Saying("anime_lists", "tmdb" if link.sequel.first.tmdb_show_id else "tvdb", link.sequel.season, 0)


def wants_movie(link: Link) -> bool:
    """Whether the entry is looked for among Trakt's movies (DESIGN 5).

    An AniList MOVIE is, unless its only ids are those of a show with a regular season. Another format is when a
    source names a movie and none names a show.
    """
    named = bool(link.tmdb_movie_ids)
    if link.format == "MOVIE":
        return named or link.otaku_movie is not None or not link.is_regular
    if link.sayings or link.otaku_show or link.tmdb_show_id:
        return False
    return named or link.otaku_movie is not None


class Catalogue:
    """The caches, indexed: rows of one entry stand together in a `Link`.

    `rows` may be all rows or those that matter for some entries and their shows.
    """

    def __init__(
        self, rows: Iterable[IdRow], anidb: Mapping[int, AnidbRow], media: Mapping[int, MediaInfo] | None = None
    ) -> None:
        self._anidb = anidb
        self._by_name: dict[str, list[AnidbRow]] | None = None
        self._titles_read: set[int] = set()
        self._by_anilist: dict[int, Link] = {}
        self._by_mal: dict[int, Link] = {}
        links: list[Link] = []
        for row in rows:
            link = (row.anilist_id and self._by_anilist.get(row.anilist_id)) or None
            if link is None and row.mal_id:
                found = self._by_mal.get(row.mal_id)
                link = found if found and None in (found.anilist_id, row.anilist_id) else None
            if link is None:
                link = Link(row.anilist_id, row.mal_id)
                links.append(link)
            self._add(link, row)
        self._by_tmdb: dict[int, list[Link]] = {}
        self._by_tvdb: dict[int, list[Link]] = {}
        self._by_trakt: dict[int, list[Link]] = {}
        for link in links:
            if link.anilist_id is not None and media:
                link.media = media.get(link.anilist_id)
            if link.anidb_id is not None:
                link.anidb = anidb.get(link.anidb_id)
            for index, key in (
                (self._by_tmdb, link.tmdb_show_id),
                (self._by_tvdb, link.tvdb_id),
                (self._by_trakt, link.otaku_show),
            ):
                if key is not None:
                    index.setdefault(key, []).append(link)

    def _add(self, link: Link, row: IdRow) -> None:
        if row.source == "otaku":
            link.otaku = link.otaku or row
        else:
            link.fribbs = link.fribbs or row
        link.mal_id = link.mal_id or row.mal_id
        if row.anilist_id is not None:
            link.anilist_id = link.anilist_id or row.anilist_id
            self._by_anilist.setdefault(row.anilist_id, link)
        if row.mal_id:
            self._by_mal.setdefault(row.mal_id, link)

    def link(self, media: MediaInfo) -> Link:
        """The entry's link, by its AniList id, else by its MyAnimeList id; an empty one when no source knows it."""
        link = self._by_anilist.get(media.anilist_id)
        if link is None and media.mal_id:
            found = self._by_mal.get(media.mal_id)
            if found and found.anilist_id is None:
                link = found
                link.anilist_id = media.anilist_id
        if link is None:
            link = Link(media.anilist_id, media.mal_id)
        self._by_anilist[media.anilist_id] = link
        if link.media is None or link.media is not media:
            link.media = media
        if link.key not in self._titles_read:
            self._titles_read.add(link.key)
            if not link.has_ids and not link.sayings:
                link.follow(sequel_of(media, self._named))
        return link

    def _named(self, name: str) -> list[AnidbRow]:
        if self._by_name is None:
            self._by_name = {}
            for row in self._anidb.values():
                self._by_name.setdefault(row.name, []).append(row)
        return self._by_name.get(name, [])

    def shows_of_tmdb(self, tmdb_id: int | None) -> set[int]:
        """Trakt shows that Otaku gives to entries of this TMDB show."""
        return {link.otaku_show for link in self._by_tmdb.get(tmdb_id or 0, ()) if link.otaku_show}

    def shows_of_tvdb(self, tvdb_id: int | None) -> set[int]:
        return {link.otaku_show for link in self._by_tvdb.get(tvdb_id or 0, ()) if link.otaku_show}

    def chain(
        self, trakt_id: int, tmdb_ids: Collection[int], tvdb_ids: Collection[int], also: Iterable[Link] = ()
    ) -> list[Link]:
        """Every entry of the show, movies left out, and those of `also`, in order of what the sources say.

        A TMDB id decides; a TVDB id counts only for entries without one, since TVDB draws shows together.
        """
        found: dict[int, Link] = {}
        for tmdb_id in tmdb_ids:
            found.update((link.key, link) for link in self._by_tmdb.get(tmdb_id, ()))
        own = self._by_trakt.get(trakt_id, ())
        known = {*tmdb_ids, *(link.otaku.tmdb_show_id for link in own if link.otaku)}
        found.update((link.key, link) for link in own if link.tmdb_show_id is None or link.tmdb_show_id in known)
        for tvdb_id in tvdb_ids:
            for link in self._by_tvdb.get(tvdb_id, ()):
                if link.tmdb_show_id is None and link.otaku_show in (None, trakt_id):
                    found[link.key] = link
        chain = {link.key: link for link in found.values() if not wants_movie(link)}
        chain.update((link.key, link) for link in also)
        return sorted(chain.values(), key=order)


def order(link: Link) -> tuple[int, int, str, int]:
    """Sort key of a chain: season, offset, first day, id; specials and entries without a season come last.

    TVDB's numbering sorts where it is known: it keeps the seasons of broadcast, which TMDB merges at times for some
    entries of a show before others.
    """
    regular = [saying for saying in link.sayings if saying.regular]
    saying = next((s for s in regular if s.side == "tvdb"), regular[0] if regular else None)
    started = str(link.media.start_date) if link.media else ""
    if saying is None:
        return 10**6, 0, started, link.key
    return saying.season or 0, saying.offset, started, link.key
