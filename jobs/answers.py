"""What comes back from a request: whole answers, what became of a write, and how their parts are read."""

from __future__ import annotations

import email.utils
import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from jobs.said import Said, said


class Unreadable(Exception):
    """An answer that is no whole JSON document; `why` is the end of a sentence that begins with the service."""

    def __init__(self, why: Said) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Answer:
    """One whole answer. Header names compare without case."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    elapsed: float = 0.0  # seconds

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The parsed body. Raises Unreadable for another content type, half a document or nonsense."""
        kind = self.headers.get("Content-Type", "").split(";")[0].strip().lower()
        if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
            said_as = (
                said("answered %(status)s with %(kind)s instead of JSON", status=str(self.status), kind=kind)
                if kind
                else said("answered %(status)s with no content type instead of JSON", status=str(self.status))
            )
            raise Unreadable(said_as)
        try:
            return json.loads(self.content, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            raise Unreadable(
                said("answered %(status)s with JSON that cannot be read", status=str(self.status))
            ) from None


def _no_constant(name: str) -> Any:
    raise ValueError(name)


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a write. `answered`: a status came (the body may be missing); `data` is its JSON, if any."""

    fate: Literal["answered", "not_sent", "doubt"]
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    data: Any = None
    detail: str = ""
    retry_after: float | None = None
    elapsed: float = 0.0  # seconds

    @property
    def ok(self) -> bool:
        """A readable 2xx."""
        return self.fate == "answered" and self.status is not None and 200 <= self.status < 300


def retry_after(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """Seconds that `Retry-After` asks for (a number or a date), or None. RFC 9110, 10.2.3."""
    value = headers.get("Retry-After", "").strip()
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - (time.time() if now is None else now)
        except ValueError:
            return None
    return min(max(seconds, 0.0), 24 * 3600.0) if math.isfinite(seconds) else None
