"""What a person leaves out of their list: formats, adult titles, custom lists, what was watched before a day. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any

from jobs.records import ListEntry


@dataclass(frozen=True, slots=True)
class Filters:
    """Nothing set: everything goes. Stored as JSON in `users.filters`, made by `to_json`, read by `from_json`."""

    formats_off: frozenset[str] = frozenset()
    skip_adult: bool = False
    skip_lists: frozenset[str] = frozenset()  # names of custom lists
    not_before: date | None = None  # in the person's zone

    def leaves_out(self, entry: ListEntry) -> str | None:
        """Why an entry is not sent: `format`, `adult` or `list`; None when it is."""
        if entry.media.format in self.formats_off:
            return "format"
        if self.skip_adult and entry.media.is_adult:
            return "adult"
        return "list" if self.skip_lists.intersection(entry.custom_lists) else None

    def too_old(self, watched_at: datetime | None, zone: tzinfo) -> bool:
        """Whether a play lies before the day that was set. What has no date does not."""
        if self.not_before is None or watched_at is None:
            return False
        return watched_at.astimezone(zone).date() < self.not_before

    def to_json(self) -> dict[str, Any]:
        return {
            "formats_off": sorted(self.formats_off),
            "skip_adult": self.skip_adult,
            "skip_lists": sorted(self.skip_lists),
            "not_before": self.not_before.isoformat() if self.not_before else None,
        }


def from_json(raw: Mapping[str, Any] | None) -> Filters:
    """The inverse of `Filters.to_json`; an empty object is no filter."""
    given = raw or {}
    day = given.get("not_before")
    return Filters(
        formats_off=frozenset(given.get("formats_off") or ()),
        skip_adult=bool(given.get("skip_adult")),
        skip_lists=frozenset(given.get("skip_lists") or ()),
        not_before=date.fromisoformat(day) if day else None,
    )
