"""Why a place is a candidate, in one line of plain words; and what Trakt lists there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, Final

from webapp import times, words
from webapp.i18n import gettext as _
from webapp.i18n import lazy_gettext as _l
from webapp.i18n import locale, mark, ngettext

# What the rules of the mapping say among themselves, and how a person reads it.
_SAID: Final = (
    (r"(?P<source>\w+) counts it so in (?P<side>\w+)'s numbering", _l("%(source)s gives this number, counted as %(side)s counts.")),
    (r"(?P<who>\S+) says special (?P<first>\d+) (of|in) (?P<side>TMDB|TVDB)\b.*", _l("%(who)s says special %(first)s, counted as %(side)s counts; nothing confirms that Trakt counts so.")),
    (r"(?P<who>\S+) says specials (?P<first>\d+) to (?P<last>\d+) (of|in) (?P<side>TMDB|TVDB)\b.*", _l("%(who)s says specials %(first)s to %(last)s, counted as %(side)s counts; nothing confirms that Trakt counts so.")),
    (r"(?P<who>\S+) names the special of each episode (of|in) (?P<side>TMDB|TVDB)\b.*", _l("%(who)s names the special of each episode, counted as %(side)s counts; nothing confirms that Trakt counts so.")),
    (r"(?P<who>\S+) says season (?P<season>\d+) (of|in) (?P<side>TMDB|TVDB)\b.*", _l("%(who)s says season %(season)s, counted as %(side)s counts.")),
    (r"(?P<who>\S+) says season (?P<season>\d+) from episode (?P<episode>\d+) (of|in) (?P<side>TMDB|TVDB)\b.*", _l("%(who)s says season %(season)s from episode %(episode)s on, counted as %(side)s counts.")),
    (r"(?P<who>\S+) says absolute numbering( from episode (?P<episode>\d+))? (of|in) (?P<side>TMDB|TVDB)\b.*", _l("%(who)s counts the whole show through.")),
    (r"By its title it is a sequel of (?P<first>.+), but .*", _l("By its title it is a sequel of %(first)s, but Trakt's season is taken or has another length.")),
    (r"The sources say so, and .* would stand there too", _l("The sources say so, and another title of the show would stand there too.")),
    (r"Trakt's season (?P<season>\d+) has (?P<count>\d+) episodes, and no other entry stands there", _l("Trakt's season %(season)s has %(count)s episodes, and no other title stands there.")),
    (r"(?P<source>\w+) says (?P<side>TMDB|TVDB) S(?P<season>\d+) E1", _l("%(source)s says season %(season)s, counted as %(side)s counts.")),
    (r"(?P<source>\w+) says (?P<side>TMDB|TVDB) S(?P<season>\d+) E(?P<episode>\d+)", _l("%(source)s says season %(season)s from episode %(episode)s on, counted as %(side)s counts.")),
    (r"(?P<source>\w+) says (?P<side>TMDB|TVDB) absolute E(?P<episode>\d+)", _l("%(source)s counts the whole show through, and says episode %(episode)s.")),
    (r"season \d+ has \d+ episodes", _l("It is long enough, and no other title stands there.")),
    (r"Trakt lists it with the same air date", _l("It first aired on the same day.")),
    (r"after the earlier entries of the show; .*", _l("It would follow the earlier parts of the show; Trakt lists too few episodes there.")),
    (r"what the sources say", _l("The sources name this place.")),
    (r"another entry of the show would stand there too", _l("Another title of the show would stand there too.")),
    (r"one source leads to the Trakt show \d+", _l("One of its ids leads to this show.")),
    (r"one source leads to the Trakt movie \d+", _l("One of its ids leads to this movie.")),
)  # fmt: skip


# Why a title stands where it does, or nowhere: what the mapping writes. The English is the pattern itself.
_BECAUSE: Final = (
    mark("Trakt has no season %(season)s"),
    mark("Trakt has no such season"),
    mark("placed after the %(count)s episodes of %(before)s"),
    mark("placed after %(before)s"),
    mark("placed right after the %(count)s episodes of %(before)s"),
    mark("placed right after %(before)s"),
    mark("Trakt's season ends before that"),
    mark("so it goes on at %(place)s"),
    mark("which runs into the next entry"),
    mark("which Trakt does not have"),
    mark("season %(season)s has exactly its %(count)s episodes"),
    mark("No source has an id for it"),
    mark("by its title it is season %(season)s of %(first)s"),
    mark("which Anime-Lists knows"),
    mark("and that season has exactly its %(count)s episodes"),
    mark("No source names a season"),
    mark("the show has one"),
    mark("with %(count)s episodes"),
    mark("Trakt lists it"),
    mark("The sources agree"),
    mark("TMDB's numbering decides"),
    mark("another source differs"),
    mark("The sources name different places and nothing says which one Trakt follows"),
    mark("The episodes run past what Trakt lists for this show"),
    mark("Trakt does not list these episodes yet"),
    mark("An earlier entry of the show has no known length"),
    mark("so the place behind it is not known"),
    mark("The show is known"),
    mark("but no source names a season that Trakt has"),
    mark("Anime-Lists names the TMDB special of every episode"),
    mark("The source gives a number of its own for TMDB"),
    mark("whose numbering Trakt follows"),
    mark("The entry is the only special of the show and fills Trakt's season 0 exactly"),
    mark("Trakt lists these specials with the entry's own dates"),
    mark("The sources call it a special"),
    mark("and nothing confirms which number Trakt gives it"),
    mark("nothing confirms that Trakt counts so"),
    mark("Otaku files it under movies"),
    mark("The show has one season of its length"),
    mark("another entry stands there too"),
    mark("entry %(id)s stands there too"),
    mark("another entry of the same show stands there"),
    mark("entry %(id)s of the same show stands there"),
    mark("Otaku gives it to the Trakt show %(id)s"),
    mark("Otaku gives it to the Trakt movie %(id)s"),
    mark("as its TMDB id does"),
    mark("Anime-Lists has %(title)s"),
    mark("whose numbered sequel this is by its title"),
    mark("and gives it to %(service)s %(id)s"),
    mark("%(who)s gives it to %(service)s %(id)s"),
    mark("which Otaku knows as the Trakt show %(id)s"),
    mark("The list %(list)s gives it to the Trakt show %(id)s"),
    mark("The list %(list)s gives it to the Trakt movie %(id)s"),
    mark("Trakt knows TMDB movie %(id)s as %(title)s"),
    mark("Trakt knows %(id)s as %(title)s"),
    mark("which began in %(year)s"),
    mark("Of its TMDB movies"),
    mark("%(title)s has title and year"),
    mark("The only Trakt movie called %(title)s of %(year)s"),
    mark("Otaku says the movie %(title)s (%(year)s)"),
    mark("title or year differ"),
    mark("Otaku names a movie of another year"),
    mark("and no other source names one"),
    mark("Otaku names a movie"),
    mark("and nothing else says that it is one"),
    mark("Its id leads to a show of another time"),
    mark("which may be a live-action one"),
    mark("The sources name a movie"),
    mark("but the entry has %(count)s episodes"),
    mark("Its ids lead to different shows on Trakt"),
    mark("Its ids lead to different movies on Trakt"),
    mark("Music videos are not on Trakt"),
    mark("Its ids are known"),
    mark("but Trakt lists no such show"),
    mark("but Trakt lists no such movie"),
    mark("No source knows an id for this title"),
    mark("Trakt has no show %(id)s"),
    mark("which a person chose for it"),
    mark("A person set these episodes"),
    mark("A person chose it"),
    mark("chosen by %(name)s"),
    mark("imported by %(name)s"),
    mark("Corrected by an episode override"),
    mark("%(service)s absolute %(place)s"),
    mark("movie %(id)s"),
)  # fmt: skip
_PLACES: Final = re.compile(r"(TMDB|TVDB)( S\d+)?( E\d+)?|S\d+( E\d+)?")  # the same in every language
_END: Final = re.compile(r"[.;,](?=\s|$)|$")


def explained(text: str | None) -> str:
    """What the mapping wrote about a title, in the language of the page; what is not known is left as it is."""
    return _explained(str(text or ""), locale())


@lru_cache(maxsize=2048)
def _explained(text: str, _language: str) -> str:
    parts = _clauses(text, _patterns())
    return text if parts is None else "".join(parts)


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], Any], ...]:
    own = ((re.sub(r"%\\\((\w+)\\\)s", r"(?P<\1>.+)", re.escape(text)), text) for text in _BECAUSE)
    return tuple((re.compile(pattern), text) for pattern, text in (*_SAID, *own))


def _clauses(text: str, patterns: Sequence[tuple[re.Pattern[str], Any]]) -> list[str] | None:
    """The clauses of `text`, each with the sign behind it; None where one of them is not known."""
    if not text:
        return []
    for end in _END.finditer(text):
        rest = text[end.end() :]
        space = rest[: len(rest) - len(rest.lstrip())]
        words_ = _clause(text[: end.start()], patterns)
        if words_ is not None and (others := _clauses(rest.lstrip(), patterns)) is not None:
            return [words_ + end[0] + space, *others]
    return None


def _clause(text: str, patterns: Sequence[tuple[re.Pattern[str], Any]]) -> str | None:
    if _PLACES.fullmatch(text):
        return text
    for pattern, sentence in patterns:
        if match := pattern.fullmatch(text):
            text = _(sentence) if isinstance(sentence, str) else str(sentence)
            return (text % {name: value for name, value in match.groupdict().items() if value}).rstrip(".")
    return None


def said(candidate: Mapping[str, Any]) -> str:
    """Who names this place. Never a name of the code: what is no sentence becomes one."""
    text = str(candidate.get("evidence") or "").strip()
    for pattern, sentence in _SAID:
        if match := re.fullmatch(pattern, text.rstrip(".")):
            values = {name: value for name, value in match.groupdict().items() if value}
            if "source" in values:
                values["source"] = words.label("source", values["source"])
            return str(sentence) % values
    known = explained(text)
    if known != text:
        return known if known.endswith(".") else f"{known}."
    if text[:1].isupper() and "_" not in text:
        return text if text.endswith(".") else f"{text}."
    return _("Named by %(source)s.", source=words.label("source", candidate.get("source")))


def listed(seasons: Mapping[str, Sequence[Sequence[Any]]], spans: Sequence[Mapping[str, int]]) -> str:
    """What Trakt lists at the first of these spans: how long the season is and when it aired; a special by name."""
    if not spans:
        return ""
    first = spans[0]
    rows = seasons.get(str(first["season"])) or []
    slot = next((row for row in rows if row[0] == first["start"]), None)
    if slot is None:
        return _("Trakt does not list this place yet.") if seasons else ""
    aired, title = _day(slot), slot[3] if len(slot) > 3 else None
    if first["season"] == 0 and title:
        called = _("Trakt calls it “%(title)s”") if first["from"] == spans[-1]["to"] else _("Trakt calls the first of them “%(title)s”")  # fmt: skip
        called = called % {"title": title}
        return _("%(called)s, aired %(day)s.", called=called, day=aired) if aired else f"{called}."
    all_of = ngettext("%(num)s episode", "%(num)s episodes", len(rows))
    if aired and first["start"] == rows[0][0]:
        return _("Trakt lists %(all)s there, the first of them aired %(day)s.", all=all_of, day=aired)
    if aired:
        return _("Trakt lists %(all)s there; number %(number)s aired %(day)s.", all=all_of, number=first["start"], day=aired)  # fmt: skip
    return _("Trakt lists %(all)s there.", all=all_of)


def _day(slot: Sequence[Any]) -> str:
    try:
        return times.day_words(times.local_day(datetime.fromisoformat(slot[2])))
    except (IndexError, TypeError, ValueError):  # Trakt knows no date
        return ""
