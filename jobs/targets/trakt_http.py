"""What every request to Trakt has in common: headers, what a status means, pages that must be complete, times.

Reference: https://docs.trakt.tv (required headers, status codes, pagination). Since June 2026 `limit` is clamped, so
the effective limit of the answer counts, never the one that was asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from jobs.answers import Answer, Unreadable
from jobs.errors import AccountLimit, AccountLocked, AppRefused, BadData, IncompleteRead, NotFound, Stops, VipRequired
from jobs.said import Said, said

MOST_PAGES = 2000
LARGEST_ID = 2**53
Read = Callable[[str, Mapping[str, Any]], Answer]


def headers(client_id: str, token: str | None = None) -> dict[str, str]:
    """Trakt's required headers; without a token for its public reads."""
    found = {"Content-Type": "application/json", "trakt-api-key": client_id, "trakt-api-version": "2"}
    return found | ({"Authorization": f"Bearer {token}"} if token else {})


def refusal_words(status: int, answered: Mapping[str, str]) -> Said:
    """One sentence for a status that is no success, for the person."""
    if status == 423 and answered.get("X-Account-Deactivated", "").lower() == "true":
        return said("Trakt says that this account is deactivated; only its support can help.")
    if status == 403 and answered.get("Content-Type", "").lower().startswith("text/html"):
        return said("Cloudflare, which guards Trakt, turned this server away (403); Trakt itself was not asked.")
    words = {
        400: said("Trakt could not understand the request (400)."),
        401: said("Trakt does not know our sign-in any more."),
        403: said(
            "Trakt turned the app away (403): its key is wrong, was deleted or blocked, or its owner has no VIP."
        ),
        404: said("Trakt has nothing at that address (404)."),
        420: said("Trakt says that the account has reached its limit (420)."),
        423: said("Trakt has locked this account; only its support can help."),
        426: said("Trakt asks for VIP for this (426)."),
        429: said("Trakt asks to slow down (429)."),
    }
    if 300 <= status < 400:
        return said(
            "Trakt answered with a redirect (%(status)s); its address in the settings may be wrong.", status=str(status)
        )
    return words.get(status) or said("Trakt answered %(status)s.", status=str(status))


def check(answer: Answer, what: Said) -> Answer:
    """The answer, if it is a 2xx. Raises the error of its status otherwise; 401 is the caller's."""
    status = answer.status
    if answer.ok:
        return answer
    if status == 404:
        raise NotFound(said("Trakt has no %(what)s.", what=what), service="trakt", status=status)
    kinds: dict[int, type[Stops]] = {403: AppRefused, 420: AccountLimit, 423: AccountLocked, 426: VipRequired}
    kind = AppRefused if 300 <= status < 400 else kinds.get(status, BadData)
    raise kind(refusal_words(status, answer.headers), service="trakt", status=status)


def json_of(answer: Answer, what: Said) -> Any:
    """The parsed body. Raises BadData."""
    try:
        return answer.json()
    except Unreadable as error:
        raise BadData(
            said("Trakt's %(what)s: %(why)s", what=what, why=error.why), service="trakt", status=answer.status
        ) from None


def all_pages(
    read: Read, path: str, params: Mapping[str, Any], *, limit: int, what: Said, key: Callable[[Any], Any]
) -> list[Any]:
    """Every row of a paginated answer. Raises IncompleteRead unless pages, counts and rows fit together exactly.

    `key` names a row: none may come twice. A listing that ends early, a page that is repeated, or a count that moves
    must never look like "nothing there".
    """

    def wrong(why: Said) -> IncompleteRead:
        return IncompleteRead(
            said("Trakt's %(what)s could not be read completely: %(why)s", what=what, why=why), service="trakt"
        )

    found: dict[Any, Any] = {}
    pages, items, size = 1, 0, 0
    page = 1
    while page <= pages:
        answer = read(path, {**params, "page": page, "limit": limit})
        rows = json_of(answer, what)
        if not isinstance(rows, list):
            raise wrong(said("page %(page)s is no list", page=page))
        numbers = [_header(answer, name) for name in ("Page", "Page-Count", "Item-Count", "Limit")]
        at, count, total, effective = numbers
        if at is None or count is None or total is None or effective is None or effective < 1:
            raise wrong(said("page %(page)s does not say where it stands", page=page))
        if at != page:
            raise wrong(said("page %(at)s came instead of page %(page)s", at=at, page=page))
        if page == 1:
            pages, items, size = count, total, effective
            if pages > MOST_PAGES or max(pages, 1) != max(-(-items // size), 1):
                raise wrong(
                    said("%(items)s rows do not make %(pages)s pages of %(size)s", items=items, pages=pages, size=size)
                )
        elif (count, total, effective) != (pages, items, size):
            raise wrong(said("%(items)s rows became %(total)s while reading", items=items, total=total))
        expected = min(size, items - (page - 1) * size)
        if len(rows) != max(expected, 0):
            raise wrong(
                said(
                    "page %(page)s has %(count)s rows instead of %(expected)s",
                    page=page,
                    count=len(rows),
                    expected=max(expected, 0),
                )
            )
        for row in rows:
            name = key(row)
            if name in found:
                raise wrong(said("page %(page)s repeats rows", page=page))
            found[name] = row
        page += 1
    if len(found) != items:
        raise wrong(said("%(count)s rows instead of %(items)s", count=len(found), items=items))
    return list(found.values())


def _header(answer: Answer, name: str) -> int | None:
    value = answer.headers.get(f"X-Pagination-{name}", "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None


def number(value: Any) -> int | None:
    """A whole number from 0 to 2**53, or None."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < LARGEST_ID else None


def identifier(value: Any) -> int | None:
    """A whole number from 1 to 2**53, or None."""
    found = number(value)
    return found or None


def parse_time(value: Any) -> datetime | None:
    """ISO with Z -> aware UTC; null, nonsense and 1970 (how "unknown" may read back) -> None."""
    if not isinstance(value, str) or not value:
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    found = found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    return found if found.year > 1970 else None


def format_time(value: datetime) -> str:
    """`2014-09-01T09:10:11.000Z`, in whole seconds."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
