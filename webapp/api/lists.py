"""Subscribed lists, for administrators."""

from __future__ import annotations

from typing import Annotated

from flask import Response
from pydantic import Field

from jobs.public_address import NotPublic
from webapp import caches, enqueue
from webapp.api.fields import ApiError, Body, Command, ErrorBody, Flag, Id, Page, answer, iso
from webapp.api.guard import api_blueprint, person

blueprint = api_blueprint("api_lists", answers={403: ErrorBody, 404: ErrorBody, 409: ErrorBody})


class ListBody(Body):
    id: int
    title: str
    url: str
    count: int = Field(description="Titles that it places")
    last_sync: str | None
    last_activity: str | None
    error: str | None
    held_rows: int | None = Field(description="Usable rows of a file that was held back; acceptLoss=1 takes it")


class NewList(Body):
    title: Annotated[str, Field(min_length=1, max_length=64)]
    url: Annotated[str, Field(max_length=1000)]


class ListChoice(Command):
    id: Id
    accept_loss: Flag = False


class Done(Body):
    success: bool
    id: int


def _require_admin() -> None:
    if not person().is_admin:
        raise ApiError(403, "forbidden", "A list counts for everyone: an administrator decides.")


@blueprint.get("/lists", summary="Subscribed lists", responses={200: Page[ListBody]})
def lists() -> Response:
    """In the order in which they are heard."""
    _require_admin()
    items = [
        ListBody(
            id=row.id,
            title=row.title,
            url=row.url,
            count=state.rows_kept,
            last_sync=iso(state.last_sync),
            last_activity=iso(state.last_activity),
            error=state.last_error,
            held_rows=state.held_rows,
        )
        for row, state in caches.lists()
    ]
    return answer(Page[ListBody](items=items, count=len(items), next=None))


@blueprint.post("/lists", summary="Subscribe to a list", responses={200: Done})
def subscribe(body: NewList) -> Response:
    """The address begins with https:// and never leads into the local network. The worker reads it at once."""
    _require_admin()
    try:
        list_id = caches.subscribe(person(), body.title, body.url)
    except NotPublic as error:
        raise ApiError(400, "bad_address", str(error)) from None
    except caches.AlreadyThere:
        raise ApiError(409, "already_there", "This list is there already.") from None
    except caches.TooManyLists:
        raise ApiError(409, "too_many", f"There are {caches.MOST_LISTS} lists already.") from None
    enqueue.mapping_list(list_id)
    return answer(Done(success=True, id=list_id))


@blueprint.post("/lists/refresh", summary="Read a list again", responses={200: Done})
def refresh(query: ListChoice) -> Response:
    """The worker reads it; `GET /api/lists` says what came of it."""
    _require_admin()
    if query.id not in {row.id for row, _state in caches.lists()}:
        raise ApiError(404, "not_found", "There is no such list.")
    if query.accept_loss:
        caches.accept_loss(f"list:{query.id}")
    enqueue.mapping_list(query.id)
    return answer(Done(success=True, id=query.id))


@blueprint.delete("/lists", summary="Forget a list", responses={200: Done})
def unsubscribe(query: ListChoice) -> Response:
    """With all that it said; its titles are looked at again with the next run."""
    _require_admin()
    if not caches.unsubscribe(query.id):
        raise ApiError(404, "not_found", "There is no such list.")
    return answer(Done(success=True, id=query.id))
