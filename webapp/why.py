"""What keeps a title from Trakt, or that nothing does: sentences from its row, its plays and the last run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from webapp import queries, words
from webapp.i18n import gettext as _
from webapp.i18n import ngettext
from webapp.models import Entry, PlayRow, RunItem, User
from webapp.naming import ranges


@dataclass(frozen=True, slots=True)
class Fact:
    """One sentence; `tone` as of a badge."""

    tone: str
    text: str


def reasons(user: User, entries: Sequence[Entry]) -> list[list[Fact]]:
    """For each entry: is it wanted, is it placed, was it sent, what did the last run say. Two queries for all of them."""
    ids = [entry.anilist_id for entry in entries]
    plays, items = queries.plays_of_entries(user.id, ids), queries.last_items(user.id, ids)
    return [
        [*_wanted(user, entry), *_placed(entry), *_sent(plays.get(entry.anilist_id, [])), *_last(items.get(entry.anilist_id))]
        for entry in entries
    ]  # fmt: skip


def _wanted(user: User, entry: Entry) -> list[Fact]:
    facts = []
    status = words.label("status", entry.status)
    if entry.status == "PLANNING" or not (entry.progress or entry.status in ("COMPLETED", "REPEATING")):
        facts.append(Fact("off", _("Nothing of it was watched yet (%(status)s), so there is nothing to send.", status=status)))  # fmt: skip
    elif entry.status not in user.statuses:
        facts.append(Fact("off", _("Titles that are “%(status)s” are not sent. You can change that in Settings.", status=status)))  # fmt: skip
    if entry.gone_at is not None:
        facts.append(Fact("off", _("It is no longer on your AniList list.")))
    if entry.private and not user.send_private:
        facts.append(Fact("off", words.sentence("reason", "private")))
    if entry.choice in ("never", "scrobbler"):
        facts.append(Fact("off", words.sentence("reason", {"never": "never", "scrobbler": "left_to_scrobbler"}[entry.choice])))  # fmt: skip
    return facts


def _placed(entry: Entry) -> list[Fact]:
    if entry.pile is None:
        return [Fact("off", words.sentence("pile", "unknown"))]
    if entry.reason:
        return [Fact(words.tone("pile", entry.pile), words.sentence("reason", entry.reason))]
    return [Fact("ok", words.sentence("pile", "placed"))]


def _sent(plays: Iterable[PlayRow]) -> list[Fact]:
    by_state: dict[str, list[int]] = {}
    for play in plays:
        by_state.setdefault(play.state, []).append(play.episode)
    facts = []
    for state, episodes in by_state.items():
        text = ngettext("Episode %(which)s:", "Episodes %(which)s:", len(set(episodes)), which=ranges(episodes))
        facts.append(Fact(words.tone("play", state), f"{text} {words.sentence('play', state)}"))
    return facts


def _last(item: RunItem | None) -> list[Fact]:
    if item is None:
        return []
    text = words.sentence("reason", item.reason) if item.reason else words.sentence("outcome", item.outcome)
    return [Fact(words.tone("outcome", item.outcome), _("The last run that said something of it (run %(id)s): %(what)s", id=item.run_id, what=text))]  # fmt: skip
