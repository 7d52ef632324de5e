"""Why a place is a candidate, in one line of plain words; and what Trakt lists there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from webapp import times, words
from webapp.i18n import gettext as _
from webapp.i18n import lazy_gettext as _l
from webapp.i18n import ngettext

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


def said(candidate: Mapping[str, Any]) -> str:
    """Who names this place. Never a name of the code: what is no sentence becomes one."""
    text = str(candidate.get("evidence") or "").strip()
    for pattern, sentence in _SAID:
        if match := re.fullmatch(pattern, text.rstrip(".")):
            values = {name: value for name, value in match.groupdict().items() if value}
            if "source" in values:
                values["source"] = words.label("source", values["source"])
            return str(sentence) % values
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
