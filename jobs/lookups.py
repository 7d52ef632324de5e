"""Questions of placing to Trakt and TMDB, a few at a time in parallel."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING, Protocol, TypeVar

from flask.globals import app_ctx

from jobs.mapping.resolver import IdType, Lookup, Match
from jobs.records import Ids, Kind, Slot

if TYPE_CHECKING:
    from jobs.targets.trakt_public import Found, SeasonsAnswer

AT_ONCE = 4  # parallel reads; the pace of Trakt is kept by the transport
Question = TypeVar("Question")
Reply = TypeVar("Reply")


class PublicTrakt(Protocol):
    """What placing asks of Trakt; `jobs.targets.trakt_public.TraktPublic`, or a fake of the tests."""

    def seasons(self, trakt_id: int, etag: str | None = None) -> SeasonsAnswer: ...
    def show(self, trakt_id_or_slug: int | str) -> Found | None: ...
    def find(self, id_type: IdType, external_id: int | str, kind: Kind) -> list[Found]: ...
    def search_movies(self, title: str) -> list[Found]: ...


class ExternalIds(Protocol):
    """What placing asks of TMDB."""

    def external_ids(self, kind: Kind, tmdb_id: int) -> Ids | None: ...
    def season(self, tmdb_id: int, n: int) -> tuple[Slot, ...] | None: ...


def answer(public: PublicTrakt, tmdb: ExternalIds | None, lookup: Lookup) -> tuple[Match, ...]:
    """One look-up of the resolver. Raises what the clients raise."""
    if lookup.what == "tmdb_ids":
        ids = tmdb.external_ids(lookup.kind, int(lookup.value)) if tmdb else None
        return (Match(lookup.kind, None, None, None, ids),) if ids else ()
    if lookup.what == "title":
        found = public.search_movies(str(lookup.value))
    else:
        found = public.find(lookup.id_type or "trakt", lookup.value, lookup.kind)
    return tuple(Match(one.kind, one.trakt_id, one.title, one.year, one.ids) for one in found)


def in_parallel(
    questions: Iterable[Question], ask: Callable[[Question], Reply], *, at_once: int = AT_ONCE
) -> Iterator[tuple[Question, Reply]]:
    """Ask all questions by a few threads and give (question, reply) as they come.

    The first error ends it: what has not begun is not asked any more, what came before has been given.
    """
    pending = list(questions)
    if not pending:
        return
    app = app_ctx.app

    def within(question: Question) -> Reply:
        with app.app_context():  # clients keep their pace and count in the database
            return ask(question)

    with ThreadPoolExecutor(min(at_once, len(pending)), thread_name_prefix="placing") as pool:
        futures = {pool.submit(within, question): question for question in pending}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        finally:
            for future in futures:
                future.cancel()
