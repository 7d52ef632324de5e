"""What is said of ratings, the watchlist and dropped shows: sentences of a run, and the words of one of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from webapp.i18n import gettext, ngettext, number
from webapp.models import Run


def numbers(run: Run, name: str) -> dict[str, int]:
    """How many of each kind: {"ratings": 34, ...}, from `result["extras"]`; `name` is planned, sent, waiting, ..."""
    found: Mapping[str, Any] = (run.result or {}).get("extras") or {}
    return {kind: int(part.get(name) or 0) for kind, part in found.items() if part.get(name)}


def total(run: Run, name: str) -> int:
    return sum(numbers(run, name).values())


def named(counted: Mapping[str, int]) -> str:
    """34 ratings, 5 watchlist titles and 2 dropped shows."""
    parts = []
    if count := counted.get("ratings"):
        parts.append(ngettext("%(count)s rating", "%(count)s ratings", count, count=number(count)))
    if count := counted.get("watchlist"):
        parts.append(ngettext("%(count)s watchlist title", "%(count)s watchlist titles", count, count=number(count)))
    if count := counted.get("dropped"):
        parts.append(ngettext("%(count)s dropped show", "%(count)s dropped shows", count, count=number(count)))
    return str(gettext(" and ").join(part for part in (", ".join(parts[:-1]), *parts[-1:]) if part))


def named_rows(counted: Mapping[str, int]) -> str:
    """The same of rows by kind: {"rating": 34, ...}."""
    names = {"rating": "ratings", "watchlist": "watchlist", "dropped": "dropped"}
    return named({names[kind]: count for kind, count in counted.items()})


def would_be_added(run: Run) -> str:
    """Of a preview; "" when there is nothing of the kind."""
    planned = numbers(run, "planned")
    said = [gettext("%(these)s would be added to Trakt.", these=named(planned))] if planned else []
    if (run.result or {}).get("extrasTrouble"):
        said.append(gettext("Trakt's ratings and lists could not be looked at, so nothing of them is in this plan."))
    if different := total(run, "different"):
        said.append(ngettext("%(count)s title has another rating there, which stays.", "%(count)s titles have another rating there, which stays.", different, count=number(different)))  # fmt: skip
    return " ".join([*said, *_waiting(run)])


def were_added(run: Run) -> str:
    """Of a run that has ended; "" when it sent nothing of the kind and nothing waits."""
    sent, planned = numbers(run, "sent"), total(run, "planned")
    missing = planned - sum(sent.values())
    said = []
    if sent and missing <= 0:
        one = sum(sent.values()) == 1
        said.append(gettext("%(these)s is on Trakt.", these=named(sent)) if one else gettext("%(these)s are on Trakt.", these=named(sent)))  # fmt: skip
    elif sent:
        said.append(gettext("%(sent)s of %(wanted)s are on Trakt.", sent=number(sum(sent.values())), wanted=named(numbers(run, "planned"))))  # fmt: skip
    if refused := total(run, "refused"):
        said.append(ngettext("Trakt did not take %(count)s of them.", "Trakt did not take %(count)s of them.", refused, count=number(refused)))  # fmt: skip
    return " ".join([*said, *_waiting(run)])


def _waiting(run: Run) -> list[str]:
    waiting = total(run, "waiting")
    if not waiting or run.reason == "watchlist_full":
        return []
    return [ngettext("%(count)s title waits for room on Trakt's watchlist.", "%(count)s titles wait for room on Trakt's watchlist.", waiting, count=number(waiting))]  # fmt: skip


def goes_as(kind: str, target: str, season: int, value: int) -> str:
    """Where one of them goes: "Season 2, 9 of 10"."""
    names = {"movie": gettext("Movie"), "show": gettext("Show"), "season": gettext("Season %(number)s", number=season)}
    where = str(names.get(target, target))
    return gettext("%(where)s, %(value)s of 10", where=where, value=value) if kind == "rating" else where
