"""One sentence for every state, reason and outcome: what happened, what happens next, who acts.

The JSON API keeps the names of the code; pages never show them. A test fails for a name without its sentence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from webapp import words_beyond as beyond
from webapp.i18n import gettext, lazy_gettext, ngettext, number
from webapp.models import Run
from webapp.times import clock
from webapp.wordlist import (
    ACTIONS,
    BEYOND,
    BROKEN,
    CAUSES,
    COMMANDS,
    CONNECTIONS,
    DATE_RULES,
    DATE_SOURCES,
    ERRORS,
    EXTRAS,
    FINDINGS,
    FORMATS,
    GATE,
    LEADS,
    LEFT_ALONE,
    LEVELS,
    MODES,
    OUTCOMES,
    PHASES,
    PILES,
    PLANNED,
    PLAYS,
    REASONS,
    REFUSED,
    RUN_REASONS,
    SERVICES,
    SOURCES,
    STATE_SENTENCES,
    STATES,
    STATUSES,
    TRIGGERS,
)

__all__ = [
    "ACTIONS",
    "BEYOND",
    "BROKEN",
    "CAUSES",
    "COMMANDS",
    "CONNECTIONS",
    "DATE_RULES",
    "DATE_SOURCES",
    "ERRORS",
    "EXTRAS",
    "FINDINGS",
    "FORMATS",
    "GATE",
    "LEADS",
    "LEFT_ALONE",
    "LEVELS",
    "MODES",
    "OUTCOMES",
    "PHASES",
    "PILES",
    "PLANNED",
    "PLAYS",
    "REASONS",
    "REFUSED",
    "RUN_REASONS",
    "SERVICES",
    "SOURCES",
    "STATES",
    "STATE_SENTENCES",
    "STATUSES",
    "TRIGGERS",
    "added",
    "button_words",
    "command_error",
    "error_sentence",
    "error_title",
    "headline",
    "label",
    "plan_words",
    "plays_words",
    "run_label",
    "run_sentence",
    "run_service",
    "run_state",
    "sentence",
    "settled",
    "tone",
]  # fmt: skip

UNKNOWN = lazy_gettext("Tsuzuki has no words for this yet.")

_SENTENCES: Mapping[str, Mapping[str, Any]] = {
    "state": STATE_SENTENCES,
    "run_reason": RUN_REASONS,
    "reason": REASONS,
    "outcome": {code: words[2] for code, words in OUTCOMES.items()},
    "planned": {code: words[2] for code, words in PLANNED.items()},
    "play": {code: words[2] for code, words in PLAYS.items()},
    "pile": {code: words[2] for code, words in PILES.items()},
    "connection": {code: words[2] for code, words in CONNECTIONS.items()},
    "gate": GATE,
    "lead": LEADS,
    "cause": {code: words[1] for code, words in CAUSES.items()},
    "finding": {code: words[2] for code, words in FINDINGS.items()},
    "left_alone": LEFT_ALONE,
    "extra": {code: words[2] for code, words in EXTRAS.items()},
    "beyond": {code: words[1] for code, words in BEYOND.items()},
}
_LABELS: Mapping[str, Mapping[str, Any]] = {
    "state": {code: words[1] for code, words in STATES.items()},
    "outcome": {code: words[1] for code, words in OUTCOMES.items()},
    "planned": {code: words[1] for code, words in PLANNED.items()},
    "play": {code: words[1] for code, words in PLAYS.items()},
    "pile": {code: words[1] for code, words in PILES.items()},
    "connection": {code: words[1] for code, words in CONNECTIONS.items()},
    "level": LEVELS,
    "mode": MODES,
    "trigger": TRIGGERS,
    "phase": PHASES,
    "date_rule": {code: words[0] for code, words in DATE_RULES.items()},
    "date_source": DATE_SOURCES,
    "status": STATUSES,
    "format": FORMATS,
    "action": ACTIONS,
    "source": SOURCES,
    "service": SERVICES,
    "cause": {code: words[0] for code, words in CAUSES.items()},
    "finding": {code: words[1] for code, words in FINDINGS.items()},
    "extra": {code: words[1] for code, words in EXTRAS.items()},
    "beyond": {code: words[0] for code, words in BEYOND.items()},
}
_TONES: Mapping[str, Mapping[str, str]] = {
    "state": {code: words[0] for code, words in STATES.items()},
    "outcome": {code: words[0] for code, words in OUTCOMES.items()},
    "planned": {code: words[0] for code, words in PLANNED.items()},
    "play": {code: words[0] for code, words in PLAYS.items()},
    "pile": {code: words[0] for code, words in PILES.items()},
    "connection": {code: words[0] for code, words in CONNECTIONS.items()},
    "finding": {code: words[0] for code, words in FINDINGS.items()},
    "extra": {code: words[0] for code, words in EXTRAS.items()},
}


class _Values(dict[str, Any]):
    """Values of a sentence; one that was not given reads as what it may stand for."""

    def __missing__(self, name: str) -> str:
        return {"service": gettext("The service"), "at": gettext("its time")}.get(name, "?")


def sentence(kind: str, code: str | None, **values: Any) -> str:
    """What happened, what happens next, who acts. `kind` is state, run_reason, reason, outcome, play, pile, ..."""
    text = _SENTENCES[kind].get(code or "")
    return str(UNKNOWN) if text is None else str(text) % _Values(values)


def label(kind: str, code: str | None) -> str:
    """One or two words; a name that is not known yet is shown with spaces, never hidden."""
    text = _LABELS[kind].get(code or "")
    return (code or "").replace("_", " ") if text is None else str(text)


def tone(kind: str, code: str | None) -> str:
    return _TONES[kind].get(code or "", "off")


def plays_words(episodes: int, movies: int = 0) -> str:
    """37 episodes and 2 movies."""
    parts = []
    if episodes or not movies:
        parts.append(ngettext("%(count)s episode", "%(count)s episodes", episodes, count=number(episodes)))
    if movies:
        parts.append(ngettext("%(count)s movie", "%(count)s movies", movies, count=number(movies)))
    return str(gettext(" and ").join(parts))


def plan_words(run: Run, episodes: int, movies: int = 0) -> str:
    """37 episodes and 2 movies, 34 ratings: all that a plan would send."""
    more = beyond.named(beyond.numbers(run, "planned"))
    plays = plays_words(episodes, movies) if episodes + movies or not more else ""
    return ", ".join(text for text in (plays, more) if text)


def button_words(run: Run, episodes: int, movies: int = 0) -> str:
    """The same, short enough for a button: 37 episodes and 2 movies, 34 more."""
    more = beyond.total(run, "planned")
    if not more or not episodes + movies:
        return plan_words(run, episodes, movies)
    return gettext("%(plays)s, %(count)s more", plays=plays_words(episodes, movies), count=number(more))


def run_state(run: Run) -> str:
    """The state that a page shows: a finished run says whether it sent something, or was undone."""
    if run.status in ("succeeded", "partial") and run.undone_by:
        return "undone"
    if run.status != "succeeded":
        return run.status
    if run.preview:
        return "ready"
    if run.mode in ("undo", "move", "single", "doctor", "repair", "readback", "caches"):
        return "done"
    return "sent" if run.plays_sent or beyond.total(run, "sent") else "succeeded"


def run_label(run: Run) -> str:
    if run.status == "waiting" and run.resume_at:
        return gettext("Waiting until %(at)s", at=clock(run.resume_at))
    return label("state", run_state(run))


def run_service(run: Run) -> str:
    """The service that a reason is about, as far as the run says."""
    named = (run.result or {}).get("service") or ((run.options or {}).get("service"))
    if named:
        return label("service", named)
    detail = (run.detail or "").casefold()
    return next((name for name in ("AniList", "Trakt", "TMDB") if name.casefold() in detail), gettext("The service"))


def added(run: Run) -> tuple[int, int]:
    """(episodes, movies) that the run added, from the fields that its mode has in the JSON API."""
    result = run.result or {}
    parts = result.get("added")
    if isinstance(parts, Mapping):
        return int(parts.get("episodes") or 0), int(parts.get("movies") or 0)
    if "addedEpisodes" in result:
        return int(result["addedEpisodes"] or 0), int(result.get("addedMovies") or 0)
    return run.plays_sent, 0


def run_sentence(run: Run) -> str:
    """The outcome of a run in one or two sentences."""
    if run.reason in RUN_REASONS and run.status != "succeeded":
        why = sentence("run_reason", run.reason, service=run_service(run), at=clock(run.resume_at))
        refused = int((run.result or {}).get("refused") or 0)
        if refused and run.status in ("partial", "failed"):
            return _refused(run, refused)
        if run.status == "partial" or (run.status == "waiting" and run.plays_sent):
            return f"{_arrived(run)} {why}"
        if run.reason == "over_brake":
            return _braked(run)
        return why
    if run.status == "partial":
        return f"{_arrived(run)} {sentence('state', 'partial')}"
    if run.status != "succeeded":
        return sentence("state", run.status)
    if run.undone_by:
        return gettext("Undone. What this run had done on Trakt was taken back by run %(id)s.", id=run.undone_by)
    return _succeeded(run)


def _braked(run: Run) -> str:
    """A run that would add far more than usual, with what is usual."""
    usual = (run.result or {}).get("usual")
    more = beyond.named(beyond.numbers(run, "planned"))
    these = [_plays(run.plays_planned)] if run.plays_planned or not more else []
    plays = gettext(" and ").join([*these, more] if more else these)
    if usual:
        return gettext("This run would add %(plays)s, far more than usual (%(usual)s). It waits for you.", plays=plays, usual=number(int(usual)))  # fmt: skip
    return gettext("This run would add %(plays)s, far more than usual. It waits for you.", plays=plays)


def _succeeded(run: Run) -> str:
    if run.preview:
        return _previewed(run)
    if run.mode == "doctor":
        return _looked(run.result or {})
    if run.mode == "repair":
        return _repaired(run.result or {})
    if run.mode == "undo" and (back := (run.result or {}).get("restored")):
        return ngettext("%(count)s play stands on Trakt again, with its time.", "%(count)s plays stand on Trakt again, with their times.", int(back), count=number(int(back)))  # fmt: skip
    if run.mode == "undo" and (run.result or {}).get("removedExtras"):
        return gettext("What that run added was removed from Trakt. It stays off until you press Send again.")
    if run.mode == "undo":
        return gettext(
            "The plays that this run names were removed from Trakt. They stay off until you press Send again."
        )
    if run.mode == "move":
        return gettext("The plays stand at their new place, and were removed from the old one.")
    if run.mode in ("single", "readback", "caches"):
        return gettext("Read again at %(at)s. Nothing was sent.", at=clock(run.finished_at))
    if run.plays_sent:
        episodes, movies = added(run)
        said = gettext("%(plays)s are on Trakt.", plays=plays_words(episodes, movies)) if episodes + movies != 1 else gettext("%(plays)s is on Trakt.", plays=plays_words(episodes, movies))  # fmt: skip
        back = ngettext("We read it back.", "We read them back.", run.plays_sent)
        said = f"{said} {back}" if _was_read_back(run) else said
        return " ".join(text for text in (said, beyond.were_added(run)) if text)
    if more := beyond.were_added(run):
        return more
    found = (run.result or {}).get("entries") or (run.result or {}).get("found")
    if found:
        return ngettext("Up to date. %(count)s title checked at %(at)s.", "Up to date. %(count)s titles checked at %(at)s.", int(found), count=number(int(found)), at=clock(run.finished_at))  # fmt: skip
    return gettext("Up to date. Checked at %(at)s.", at=clock(run.finished_at))


def headline(text: str) -> tuple[str, str]:
    """The first of some sentences, and the others: for the heading of a page. A number with a dot is no end."""
    parts = re.split(r"(?<=[^\d\s][.。])\s+", text, maxsplit=1)
    return parts[0], " ".join(parts[1:])


def settled(run: Run) -> str:
    """What became of plays whose answer was lost; empty where none was."""
    said: Mapping[str, Any] = (run.result or {}).get("settled") or {}
    arrived, again = int(said.get("arrived") or 0), int(said.get("again") or 0)
    if arrived and not again:
        return ngettext("Trakt didn't answer, so we looked: the play had arrived. Nothing was sent twice.", "Trakt didn't answer, so we looked: all %(count)s plays had arrived. Nothing was sent twice.", arrived, count=number(arrived))  # fmt: skip
    if again:
        return gettext("Trakt didn't answer, so we looked: %(arrived)s of %(all)s plays had arrived, and only the others were sent again. Nothing was sent twice.", arrived=number(arrived), all=number(arrived + again))  # fmt: skip
    return ""


def _was_read_back(run: Run) -> bool:
    said: dict[str, Any] = (run.result or {}).get("readBack") or {}
    return bool(said) and said["there"] >= said["plays"] == run.plays_sent


def _refused(run: Run, refused: int) -> str:
    """What arrived, what Trakt did not take, and what waits."""
    parts = [_sent_of_wanted(run)] if run.plays_sent else []
    parts.append(ngettext("%(count)s play was refused by Trakt. Look at where it goes.", "%(count)s plays were refused by Trakt. Look at where they go.", refused, count=number(refused)))  # fmt: skip
    waiting = run.plays_planned - run.plays_sent - refused
    if waiting > 0:
        parts.append(ngettext("%(count)s waits; we try again with every check.", "%(count)s wait; we try again with every check.", waiting, count=number(waiting)))  # fmt: skip
    return " ".join(parts)


def _looked(result: Mapping[str, Any]) -> str:
    read, found = int(result.get("plays") or 0), int(result.get("findings") or 0)
    if not found:
        return ngettext("%(count)s play read; none looks wrong.", "%(count)s plays read; none looks wrong.", read, count=number(read))  # fmt: skip
    return ngettext("%(found)s of %(count)s play looks wrong. Nothing was changed.", "%(found)s of %(count)s plays look wrong. Nothing was changed.", read, count=number(read), found=number(found))  # fmt: skip


def _repaired(result: Mapping[str, Any]) -> str:
    removed, moved = int(result.get("removed") or 0), int(result.get("moved") or 0)
    parts = []
    if removed:
        parts.append(ngettext("%(count)s play was removed.", "%(count)s plays were removed.", removed, count=number(removed)))  # fmt: skip
    if moved:
        parts.append(ngettext("%(count)s play was moved.", "%(count)s plays were moved.", moved, count=number(moved)))
    return " ".join(parts) or gettext("Nothing was left to put right.")


def _previewed(run: Run) -> str:
    """What would be added, what is there already, what waits for the person."""
    result = run.result or {}
    plays = result.get("plays") or {"episodes": run.plays_planned, "movies": 0}
    episodes, movies = int(plays.get("episodes") or 0), int(plays.get("movies") or 0)
    parts = []
    if episodes + movies:
        titles = int(plays.get("titles") or 0)
        told = plays_words(episodes, movies)
        parts.append(
            ngettext("%(plays)s from %(num)s title would be added to Trakt.", "%(plays)s from %(num)s titles would be added to Trakt.", titles, num=number(titles), plays=told)
            if titles
            else gettext("%(plays)s would be added to Trakt.", plays=told)
        )  # fmt: skip
    elif not beyond.total(run, "planned"):
        parts.append(gettext("Nothing new: all that has a place is on Trakt already."))
    if more := beyond.would_be_added(run):
        parts.append(more)
    already = int(result.get("alreadySynced") or 0)
    if already:
        parts.append(ngettext("%(count)s episode is there already.", "%(count)s episodes are there already.", already, count=number(already)))  # fmt: skip
    needs = int(result.get("review") or 0)
    if needs:
        parts.append(ngettext("%(num)s title needs you.", "%(num)s titles need you.", needs))
    parts.append(gettext("Nothing has been sent."))
    return " ".join(parts)


def _arrived(run: Run) -> str:
    """Plays, and what went out beyond them."""
    more = beyond.were_added(run)
    if more and not run.plays_planned:
        return more
    return f"{_sent_of_wanted(run)} {more}".strip()


def _sent_of_wanted(run: Run) -> str:
    missing = max(run.plays_planned - run.plays_sent, 0)
    if not missing:
        return gettext("%(plays)s are on Trakt.", plays=_plays(run.plays_sent))
    return ngettext("%(sent)s of %(wanted)s are on Trakt. %(missing)s is not.", "%(sent)s of %(wanted)s are on Trakt. %(missing)s are not.", missing, sent=number(run.plays_sent), wanted=_plays(run.plays_planned), missing=number(missing))  # fmt: skip


def _plays(count: int) -> str:
    return str(ngettext("%(count)s play", "%(count)s plays", count, count=number(count)))


def error_title(status: int) -> str:
    return str(ERRORS.get(status, BROKEN if status >= 500 else REFUSED)[0])


def error_sentence(status: int) -> str:
    return str(ERRORS.get(status, BROKEN if status >= 500 else REFUSED)[1])


def command_error(code: str) -> str:
    """Why a command was not possible."""
    return str(COMMANDS.get(code, UNKNOWN))
