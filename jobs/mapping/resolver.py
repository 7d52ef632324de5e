"""Which Trakt show or movie an entry is: rows and answers in, an `Identity`, a question or a refusal out. Pure.

`resolve` never asks anybody. Where it needs an answer it returns `Ask` with the look-ups; the caller answers them
and calls again. Order of DESIGN 5: mapping row, subscribed lists, Otaku, Fribbs with Otaku's ids, TMDB's external ids, Trakt's search
by TMDB, IMDb and TVDB id, and for movies title and year.

Otaku's show id is taken unasked only where no other row contradicts it; where rows differ, Trakt's answer for the
TMDB id decides, if the TVDB id says the same or Otaku has no other id; two different answers are a refusal.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

from jobs.mapping.chain import Catalogue, Link, wants_movie
from jobs.mapping.placement import no_place
from jobs.mapping.specials import title_key
from jobs.records import Candidate, Identity, Ids, Kind, Reason, Refusal

IdType = Literal["tmdb", "imdb", "tvdb", "trakt"]


@dataclass(frozen=True, slots=True)
class Lookup:
    """One question to an outside service."""

    what: Literal["find", "title", "tmdb_ids"]
    kind: Kind
    id_type: IdType | None = None
    value: int | str = 0


@dataclass(frozen=True, slots=True)
class Match:
    """One thing that an answer names. `trakt_id` is None in answers of TMDB, which know only ids."""

    kind: Kind
    trakt_id: int | None
    title: str | None
    year: int | None
    ids: Ids


Answers = Mapping[Lookup, tuple[Match, ...]]


@dataclass(frozen=True, slots=True)
class Ask:
    """What must be answered before the entry can be resolved."""

    lookups: tuple[Lookup, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What stands in `mappings` for an entry; `manual` is the person's own row, else a shared one."""

    manual: Identity | None = None
    auto: Identity | None = None
    listed: Identity | None = None  # what a subscribed list says: below every person's word, above all other sources


@dataclass(slots=True)
class Asking:
    """Answers that are at hand, and what is asked on the way."""

    answers: Answers
    missing: Collection[tuple[str, int]] = ()  # what Trakt answered 404 for: (kind, Trakt id)
    doubted: Collection[int] = ()  # Trakt shows of Otaku whose seasons do not bear out what the sources say
    tmdb: bool = False  # whether TMDB can be asked
    open: list[Lookup] = field(default_factory=list)

    def get(self, lookup: Lookup) -> tuple[Match, ...] | None:
        """The answer without things of another kind and what is gone; None when it must be asked first."""
        answer = self.answers.get(lookup)
        if answer is None:
            self.open.append(lookup)
            return None
        return tuple(m for m in answer if m.kind == lookup.kind and not self.gone(m.kind, m.trakt_id))

    def gone(self, kind: Kind, trakt_id: int | None) -> bool:
        return trakt_id is not None and (kind, trakt_id) in self.missing


def resolve(link: Link, catalogue: Catalogue, known: Known, asking: Asking) -> Identity | Ask | Refusal:
    """The identity of one entry, what must be asked for it, or why it has none."""
    if known.manual:
        return known.manual
    if known.listed and not asking.gone(known.listed.kind, known.listed.trakt_id):
        return known.listed
    asking.open = []
    movie = wants_movie(link)
    kind: Kind = "movie" if movie else "show"
    auto = known.auto
    doubted = auto is not None and auto.source == "otaku" and auto.trakt_id in asking.doubted
    if auto and auto.kind == kind and not doubted and not asking.gone(kind, auto.trakt_id) and _still_fits(auto, link):
        return auto
    found = _movie(link, asking) if movie else _show(link, catalogue, asking)
    if movie and isinstance(found, Identity) and link.format != "MOVIE" and (link.episodes or 1) > 1:
        return _many_episodes(link, found)
    if movie and isinstance(found, Refusal) and found.reason is not Reason.SOURCES_DISAGREE and link.sayings:
        special = _show(link, catalogue, asking)
        found = special if isinstance(special, Identity | Ask) else found
    elif not movie and isinstance(found, Refusal) and link.format == "MOVIE":
        other = _movie(link, asking)
        found = other if isinstance(other, Identity | Ask) else found
    return found


def _still_fits(auto: Identity, link: Link) -> bool:
    """Whether what an auto row was found by is still what the sources say."""
    if auto.kind == "movie":
        said = {*link.tmdb_movie_ids, *link.otaku_tmdb_movie_ids}
        return not said or auto.ids.tmdb_id is None or auto.ids.tmdb_id in said
    if link.otaku_show is not None and auto.source == "otaku":
        return link.otaku_show == auto.trakt_id
    tmdb, tvdb = link.tmdb_show_id, link.tvdb_id
    same_tmdb = tmdb is None or auto.ids.tmdb_id is None or tmdb == auto.ids.tmdb_id
    return same_tmdb or (tvdb is not None and tvdb == auto.ids.tvdb_id)


def _ids(link: Link, trakt_id: int) -> Ids:
    return Ids(trakt_id, link.tmdb_show_id, next(iter(link.imdb_ids), None), link.tvdb_id)


# Shows


def _show(link: Link, catalogue: Catalogue, asking: Asking) -> Identity | Ask | Refusal:
    own = None if asking.gone("show", link.otaku_show) else link.otaku_show
    tmdb_peers = {t for t in catalogue.shows_of_tmdb(link.tmdb_show_id) if not asking.gone("show", t)}
    doubt = len({own, *tmdb_peers} - {None}) > 1 or (own is not None and (own in asking.doubted or _rows_differ(link)))
    if own is not None and not doubt:
        return Identity("show", own, _ids(link, own), "otaku", f"Otaku gives it to the Trakt show {own}.")
    if own is None and len(tmdb_peers) == 1:
        peer = next(iter(tmdb_peers))
        reason = f"{_teller(link)} gives it to TMDB {link.tmdb_show_id}, which Otaku knows as the Trakt show {peer}."
        return Identity("show", peer, _ids(link, peer), "fribbs", reason)
    if own is None and link.tmdb_show_id is None:
        peers = {t for t in catalogue.shows_of_tvdb(link.tvdb_id) if not asking.gone("show", t)}
        if len(peers) == 1 and link.tvdb_id:
            peer = next(iter(peers))
            reason = f"{_teller(link)} gives it to TVDB {link.tvdb_id}, which Otaku knows as the Trakt show {peer}."
            return Identity("show", peer, _ids(link, peer), "fribbs", reason)
    return _asked_show(link, own, asking)


def _teller(link: Link) -> str:
    """Who names the show's id."""
    if link.sequel:
        return f"Anime-Lists has {link.sequel.first.name}, whose numbered sequel this is by its title, and"
    return "Fribbs" if link.fribbs and (link.fribbs.tmdb_show_id or link.fribbs.tvdb_id) else "Anime-Lists"


def _rows_differ(link: Link) -> bool:
    """Whether Otaku and Fribbs name different shows at TMDB or TVDB."""
    otaku, fribbs = link.otaku, link.fribbs
    if not otaku or not fribbs:
        return False
    tmdb = otaku.tmdb_show_id and fribbs.tmdb_show_id and otaku.tmdb_show_id != fribbs.tmdb_show_id
    tvdb = otaku.tvdb_id and fribbs.tvdb_id and otaku.tvdb_id != fribbs.tvdb_id
    return bool(tmdb or tvdb)


def _asked_show(link: Link, own: int | None, asking: Asking) -> Identity | Ask | Refusal:
    """By Trakt's search. `own` is Otaku's id when other rows contradict it."""
    found: Match | None = None
    for id_type, value in _show_keys(link, asking):
        answer = asking.get(Lookup("find", "show", id_type, value))
        if answer is None:
            return Ask(tuple(asking.open))
        if answer:
            found, by = answer[0], (id_type, value)
            break
    if asking.open:
        return Ask(tuple(asking.open))
    if found is None or found.trakt_id is None:
        if own is not None:
            return Identity("show", own, _ids(link, own), "otaku", f"Otaku gives it to the Trakt show {own}.")
        return _none_found(link, "show", has_ids=bool(link.tmdb_show_id or link.tvdb_id or link.otaku_show))
    if own is not None and found.trakt_id != own and by[0] == "tmdb" and link.tvdb_id:
        second = asking.get(Lookup("find", "show", "tvdb", link.tvdb_id))
        if second is None:
            return Ask(tuple(asking.open))
        if second and second[0].trakt_id != found.trakt_id:
            return _disagreeing(link, "show", [own, found.trakt_id])
    if (rival := _other_tvdb(link, asking)) is None:
        return Ask(tuple(asking.open))
    if rival and rival != found.trakt_id:
        return _disagreeing(link, "show", [rival, found.trakt_id])
    if by[0] != "tmdb" and _another_time(link, found):
        return _another_work(link, found, by)
    words = f"Trakt knows {by[0].upper()} {by[1]} as {found.title or found.trakt_id}."
    ids = Ids(found.trakt_id, found.ids.tmdb_id, found.ids.imdb_id, found.ids.tvdb_id)
    return Identity("show", found.trakt_id, ids, f"trakt_{by[0]}", words)


def _another_time(link: Link, match: Match) -> bool:
    """Whether the show began when the entry can't have: IMDb and TVDB ids at times are those of a live-action show.

    The first season begins in the show's year, give or take one; later ones not before it.
    """
    year = link.media.year if link.media else None
    if year is None or match.year is None:
        return False
    first = not link.sayings or (link.sayings[0].season == 1 and not link.sayings[0].offset)
    return year < match.year - 1 or (first and year > match.year + 1)


def _other_tvdb(link: Link, asking: Asking) -> int | None:
    """The Trakt show of a TVDB id that only Otaku names; 0 when there is none, None when it must be asked."""
    otaku, fribbs = link.otaku, link.fribbs
    if not otaku or not fribbs or not otaku.tvdb_id or not fribbs.tvdb_id or otaku.tvdb_id == fribbs.tvdb_id:
        return 0
    answer = asking.get(Lookup("find", "show", "tvdb", otaku.tvdb_id))
    if answer is None:
        return None
    return (answer[0].trakt_id or 0) if answer else 0


def _show_keys(link: Link, asking: Asking) -> list[tuple[IdType, int | str]]:
    """Ids to search by, in order: TMDB, IMDb, TVDB; with what TMDB adds when it can be asked."""
    keys: list[tuple[IdType, int | str]] = []
    if link.tmdb_show_id:
        keys.append(("tmdb", link.tmdb_show_id))
    keys.extend(("imdb", imdb) for imdb in link.imdb_ids)
    if link.tvdb_id:
        keys.append(("tvdb", link.tvdb_id))
    if link.otaku and link.otaku.tvdb_id and link.otaku.tvdb_id != link.tvdb_id:
        keys.append(("tvdb", link.otaku.tvdb_id))
    if asking.tmdb and link.tmdb_show_id:
        lookup = Lookup("tmdb_ids", "show", "tmdb", link.tmdb_show_id)
        if asking.answers.get(Lookup("find", "show", "tmdb", link.tmdb_show_id)) == ():
            for match in asking.get(lookup) or ():
                more: list[tuple[IdType, int | str | None]] = [("imdb", match.ids.imdb_id), ("tvdb", match.ids.tvdb_id)]
                keys.extend((t, v) for t, v in more if v and (t, v) not in keys)
    return keys


# Movies


def _movie(link: Link, asking: Asking) -> Identity | Ask | Refusal:
    """Otaku's movie when Trakt's record of it bears the sources' TMDB id; else by TMDB and IMDb id, title and year."""
    own = link.otaku_movie
    wanted = link.tmdb_movie_ids
    if len(wanted) > 1:
        wanted = tuple(i for i in link.otaku_tmdb_movie_ids if i in wanted) or wanted
    elif not wanted:
        wanted = link.otaku_tmdb_movie_ids
    by_tmdb: list[Match] = []
    for tmdb_id in wanted:
        answer = asking.get(Lookup("find", "movie", "tmdb", tmdb_id))
        by_tmdb.extend(answer or ())
    if asking.open:
        return Ask(tuple(asking.open))
    if by_tmdb:
        return _choose_movie(link, own, by_tmdb)
    doubtful: Match | None = None
    if own is not None and not asking.gone("movie", own):
        answer = asking.get(Lookup("find", "movie", "trakt", own))
        if answer is None:
            return Ask(tuple(asking.open))
        if answer and _movie_fits(link, answer[0]):
            return _movie_identity(answer[0], "otaku", f"Otaku gives it to the Trakt movie {own}.")
        if answer and link.format != "MOVIE":
            return _unsure(link, answer[0])
        doubtful = answer[0] if answer else None
    for imdb in link.imdb_ids:
        answer = asking.get(Lookup("find", "movie", "imdb", imdb))
        if answer is None:
            return Ask(tuple(asking.open))
        if len(answer) == 1 and answer[0].kind == "movie":
            return _movie_identity(answer[0], "trakt_imdb", f"Trakt knows {imdb} as {answer[0].title}.")
    found = _by_title(link, asking)
    return _unsure(link, doubtful) if doubtful and isinstance(found, Refusal) and not found.candidates else found


def _choose_movie(link: Link, own: int | None, found: list[Match]) -> Identity | Refusal:
    by_id = {match.trakt_id: match for match in found if match.trakt_id is not None}
    if own in by_id and own is not None:
        return _movie_identity(by_id[own], "otaku", f"Otaku gives it to the Trakt movie {own}, as its TMDB id does.")
    if len(by_id) == 1:
        match = next(iter(by_id.values()))
        return _movie_identity(match, "trakt_tmdb", f"Trakt knows TMDB movie {match.ids.tmdb_id} as {match.title}.")
    titled = [match for match in by_id.values() if _same_title_and_year(link, match)]
    if len(titled) == 1:
        return _movie_identity(titled[0], "trakt_tmdb", f"Of its TMDB movies, {titled[0].title} has title and year.")
    return _disagreeing(link, "movie", list(by_id))


def _movie_fits(link: Link, match: Match) -> bool:
    """Whether Otaku's movie may be the entry: no other TMDB id, for a MOVIE about its year, else its title and year.

    Of films in parts Otaku may name another part: years differ then, while those of one film differ by one at most.
    """
    known = {*link.tmdb_movie_ids, *link.otaku_tmdb_movie_ids}
    if known and match.ids.tmdb_id and match.ids.tmdb_id not in known:
        return False
    if link.format != "MOVIE":
        return _same_title_and_year(link, match)
    year = link.media.year if link.media else None
    return match.ids.tmdb_id in known or year is None or match.year is None or abs(year - match.year) <= 1


def _by_title(link: Link, asking: Asking) -> Identity | Ask | Refusal:
    """Exactly one movie with the same normalised title, any of the entry's, and the same year."""
    media = link.media
    has_ids = bool(link.tmdb_movie_ids or link.otaku_movie or link.imdb_ids)
    if media is None or not media.titles or media.year is None or link.format != "MOVIE":
        return _none_found(link, "movie", has_ids=has_ids)
    found: dict[int, Match] = {}
    for title in dict.fromkeys(t for t in (media.romaji, media.english) if t):
        answer = asking.get(Lookup("title", "movie", None, title))
        found.update((m.trakt_id, m) for m in answer or () if m.trakt_id is not None and _same_title_and_year(link, m))
    if asking.open:
        return Ask(tuple(asking.open))
    if len(found) == 1:
        match = next(iter(found.values()))
        return _movie_identity(match, "title_year", f"The only Trakt movie called {match.title} of {match.year}.")
    if found:
        return _disagreeing(link, "movie", list(found))
    return _none_found(link, "movie", has_ids=has_ids)


def _same_title_and_year(link: Link, match: Match) -> bool:
    media = link.media
    if media is None or media.year is None or match.year != media.year:
        return False
    return title_key(match.title) in {title_key(title) for title in media.titles} - {""}


def _movie_identity(match: Match, source: str, reason: str) -> Identity:
    assert match.trakt_id is not None
    ids = Ids(match.trakt_id, match.ids.tmdb_id, match.ids.imdb_id, None)
    return Identity("movie", match.trakt_id, ids, source, reason)


# Refusals


def _unsure(link: Link, match: Match) -> Refusal:
    """Only Otaku names the movie, and what Trakt has under that id looks like another one."""
    evidence = f"Otaku says the movie {match.title} ({match.year}); title or year differ"
    candidates = [Candidate("movie", match.trakt_id or 0, (), "otaku", evidence)]
    if link.format == "MOVIE":
        detail = "Otaku names a movie of another year, and no other source names one."
        return no_place(link, Reason.SOURCES_DISAGREE, detail, candidates)
    return no_place(link, Reason.WRONG_KIND, "Otaku names a movie, and nothing else says that it is one.", candidates)


def _another_work(link: Link, match: Match, by: tuple[IdType, int | str]) -> Refusal:
    evidence = f"Trakt knows {by[0].upper()} {by[1]} as {match.title}, which began in {match.year}"
    candidates = [Candidate("show", match.trakt_id or 0, (), f"trakt_{by[0]}", evidence)]
    detail = "Its id leads to a show of another time, which may be a live-action one."
    return no_place(link, Reason.WRONG_KIND, detail, candidates)


def _many_episodes(link: Link, found: Identity) -> Refusal:
    candidates = [Candidate("movie", found.trakt_id, (), found.source, found.reason)]
    detail = f"The sources name a movie, but the entry has {link.episodes} episodes."
    return no_place(link, Reason.WRONG_KIND, detail, candidates)


def _disagreeing(link: Link, kind: Kind, trakt_ids: list[int]) -> Refusal:
    candidates = [Candidate(kind, i, (), "trakt", f"one source leads to the Trakt {kind} {i}") for i in trakt_ids]
    return no_place(link, Reason.SOURCES_DISAGREE, f"Its ids lead to different {kind}s on Trakt.", candidates)


def _none_found(link: Link, kind: Kind, *, has_ids: bool) -> Refusal:
    if link.format == "MUSIC":
        return no_place(link, Reason.MUSIC, "Music videos are not on Trakt.")
    if has_ids:
        return no_place(link, Reason.NOT_ON_TRAKT, f"Its ids are known, but Trakt lists no such {kind}.")
    return no_place(link, Reason.NO_ID, "No source knows an id for this title.")
