"""Mode `single`: look at one title anew - which show it is, its seasons, where its episodes stand. Posts nothing."""

from __future__ import annotations

from jobs import library, runstate
from jobs.errors import NotFound
from jobs.placing import place_entries
from jobs.records import Placement, Refusal
from jobs.runstate import RunContext
from jobs.tools import Shapes, Tools, tools_for


def run_single(ctx: RunContext) -> None:
    """Refresh one title, on the list or not. Result: `{success, count}`, count = the show's episodes on Trakt.

    Raises `NotFound` when AniList has no such anime.
    """
    if ctx.anilist_id is None:
        raise NotFound("this run names no title")
    tools = tools_for(ctx)
    found = look_at(ctx, tools, ctx.anilist_id)
    placed = isinstance(found, Placement)
    ctx.result |= {"success": placed, "count": _count(found), "message": _sentence(found)}
    ctx.progress.log("info" if placed else "warning", _sentence(found))
    runstate.finish(ctx, "succeeded", None, None, ctx.result)


def look_at(ctx: RunContext, tools: Tools, anilist_id: int) -> Placement | Refusal:
    """Read the title from AniList and place it anew."""
    if not library.read_one(ctx, tools.anilist, anilist_id):
        raise NotFound(f"AniList has no anime {anilist_id}", service="anilist")
    ctx.progress.phase("placing", 1)
    return place_entries(ctx.user_id, [anilist_id], tools.placing, on_progress=ctx.progress.step)[anilist_id]


def _count(found: Placement | Refusal) -> int:
    """Regular episodes of the show on Trakt; a movie is one."""
    if found.kind == "movie":
        return 1
    shape = Shapes().get(found.trakt_id) if found.trakt_id is not None else None
    return len(shape.regular()) if shape else 0


def _sentence(found: Placement | Refusal) -> str:
    return found.reason if isinstance(found, Placement) else found.detail
