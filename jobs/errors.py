"""Errors that know what to do: retry later, stop the run with a reason, or ask the person.

`reason` is a run reason of DESIGN 7 and has its sentence in `webapp/words.py`; `detail` is what the service said,
without secrets.
"""

from __future__ import annotations

from jobs.said import Said, said


class TsuzukiError(Exception):
    """Base: `detail` is a sentence for the log; one that was not made by `said` is shown as it is."""

    reason = "bad_data"

    def __init__(self, detail: str = "", *, service: str = "", status: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail if isinstance(detail, Said) else said("%(text)s", text=detail)
        self.service = service
        self.status = status


class Waits(TsuzukiError):
    """The run parks as `waiting` and goes on by itself after `seconds`."""

    reason = "service_down"

    def __init__(
        self, detail: str = "", *, service: str = "", status: int | None = None, seconds: float = 300.0
    ) -> None:
        super().__init__(detail, service=service, status=status)
        self.seconds = seconds


class RateLimited(Waits):
    """429, or the pace says that the turn is more than a minute away."""

    reason = "rate_limited"


class ServiceDown(Waits):
    """No connection, a time-out, 5xx, a Cloudflare page or half a body, after the retries of a read."""

    reason = "service_down"


class Settling(Waits):
    """Doubtful plays must be looked at once more, `TRAKT_SETTLE_SECONDS` after the first look."""

    reason = "settling"


class Stops(TsuzukiError):
    """The run ends: `partial` if it sent something, else `failed`."""


class Reconnect(Stops):
    """The service does not know our token any more; the person signs in again."""

    def __init__(self, service: str, detail: str = "", *, status: int | None = None) -> None:
        super().__init__(detail, service=service, status=status)
        self.reason = f"reconnect_{'mal' if service == 'myanimelist' else service}"


class AppRefused(Stops):
    """403 or a redirect: the app's key was deleted, blocked, or belongs to an account without VIP."""

    reason = "app_refused"


class VipRequired(Stops):
    reason = "vip_required"


class AccountLimit(Stops):
    reason = "account_limit"


class AccountLocked(Stops):
    reason = "account_locked"


class WatchlistFull(Stops):
    """420 for the watchlist: what does not fit in waits for room."""

    reason = "watchlist_full"


class IncompleteRead(Stops):
    """A page was missing, repeated or unreadable, or the count did not fit: never "nothing watched"."""

    reason = "incomplete_read"


class CachesEmpty(Stops):
    reason = "caches_empty"


class BadData(Stops):
    """The service answered something that our own request cannot have meant: 400, 404 where there must be one."""

    reason = "bad_data"


class NotFound(BadData):
    """404 of a single thing that was asked for."""


class LostClaim(TsuzukiError):
    """Another worker has taken this run over: stop at once and write nothing."""


class Cancelled(TsuzukiError):
    """The person cancelled the run; what is open is finished and recorded first."""

    reason = "cancelled"


class Stopping(TsuzukiError):
    """The worker was told to end: the run goes back to `queued`."""
