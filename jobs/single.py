"""Mode `single`: look at one title anew - which show it is, its seasons, where its episodes stand. Posts nothing."""

from __future__ import annotations

from sqlalchemy import update

from jobs import library, runstate
from jobs.errors import NotFound
from jobs.placing import place_entries
from jobs.records import Placement, Refusal
from jobs.runstate import RunContext
from jobs.said import said
from jobs.tools import Shapes, Tools, tools_for
from webapp.database import transaction
from webapp.models import TraktShow


def run_single(ctx: RunContext) -> None:
    """Refresh one title, on the list or not. Result: `{success, count}`, count = the show's episodes on Trakt.

    Raises `NotFound` when AniList has no such anime.
    """
    if ctx.anilist_id is None:
        raise NotFound(said("this run names no title"))
    tools = tools_for(ctx)
    found = look_at(ctx, tools, ctx.anilist_id)
    placed = isinstance(found, Placement)
    ctx.result |= {"success": placed, "count": _count(found), "message": _sentence(found)}
    ctx.progress.log("info" if placed else "warning", said("%(place)s", place=_sentence(found)))
    runstate.finish(ctx, "succeeded", None, None, ctx.result)


def look_at(ctx: RunContext, tools: Tools, anilist_id: int) -> Placement | Refusal:
    """Read the title from AniList and place it anew."""
    if not library.read_one(ctx, tools.anilist, anilist_id):
        raise NotFound(said("AniList has no anime %(anilist_id)s", anilist_id=str(anilist_id)), service="anilist")
    ctx.progress.phase("placing", 1)
    found = place_entries(ctx.user_id, [anilist_id], tools.placing, on_progress=ctx.progress.step)[anilist_id]
    if found.kind == "show" and found.trakt_id is not None:
        _name(tools, found.trakt_id)
    return found


def _name(tools: Tools, trakt_id: int) -> None:
    """Otaku names shows by id only: a person who looks at a title gets the show's name and its address too."""
    with transaction(readonly=True) as session:
        row = session.get(TraktShow, trakt_id, populate_existing=True)
    if row is None or row.missing or (row.title and row.slug):
        return
    show = tools.placing.public.show(trakt_id)
    if show is not None:
        with transaction() as session:
            values = {"title": show.title, "year": show.year, "slug": show.slug}
            session.execute(update(TraktShow).where(TraktShow.trakt_id == trakt_id).values(values))


def _count(found: Placement | Refusal) -> int:
    """Regular episodes of the show on Trakt; a movie is one."""
    if found.kind == "movie":
        return 1
    shape = Shapes().get(found.trakt_id) if found.trakt_id is not None else None
    return len(shape.regular()) if shape else 0


def _sentence(found: Placement | Refusal) -> str:
    return found.reason if isinstance(found, Placement) else found.detail
