"""What an administrator decides about mapping sources: files that were held back, lists to subscribe to."""

from __future__ import annotations

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from jobs.public_address import check_url
from webapp.database import reading, transaction
from webapp.models import Entry, Lease, ListMapping, MappingList, MappingSource, User, utcnow

MOST_LISTS = 20


class AlreadyThere(ValueError):
    """The instance subscribes to that address already."""


class TooManyLists(ValueError):
    """The instance subscribes to `MOST_LISTS` lists."""


def accept_loss(name: str) -> bool:
    """Agree to the rows of the file that was held back; the next refresh takes it. False when none was.

    `name`: otaku, fribbs, anime_lists or list:<id>. A file with still fewer rows is held back again.
    """
    held = (MappingSource.name == name, MappingSource.held_rows.is_not(None))
    statement = update(MappingSource).where(*held).values(accepted_rows=MappingSource.held_rows, last_attempt=None)
    with transaction() as session:
        done = session.execute(statement, execution_options={"synchronize_session": False})
        return bool(getattr(done, "rowcount", 0))


def lists() -> list[tuple[MappingList, MappingSource]]:
    """The subscribed lists in the order in which they are heard, each with how it stands."""
    with reading() as session:
        rows = session.scalars(select(MappingList).order_by(MappingList.id)).all()
        query = select(MappingSource).where(MappingSource.name.like("list:%"))
        states = {row.name: row for row in session.scalars(query.execution_options(populate_existing=True))}
    empty = {"rows_kept": 0, "rows_in_file": 0, "double_ids": 0}
    return [(row, states.get(f"list:{row.id}") or MappingSource(name=f"list:{row.id}", url=row.url, **empty)) for row in rows]  # fmt: skip


def subscribe(user: User, title: str, url: str) -> int:
    """The id of a new list, which the next refresh fills. Raises `NotPublic`, `AlreadyThere` and `TooManyLists`."""
    check_url(url)
    if len(lists()) >= MOST_LISTS:
        raise TooManyLists(str(MOST_LISTS))
    try:
        with transaction() as session:
            row = MappingList(title=title, url=url, added_by=user.username, created_at=utcnow())
            session.add(row)
            session.flush()
            return row.id
    except IntegrityError:
        raise AlreadyThere(url) from None


def unsubscribe(list_id: int) -> bool:
    """Forget a list with all that it said; its titles are looked at again. False when there is no such list."""
    name = f"list:{list_id}"
    titles = select(ListMapping.anilist_id).where(ListMapping.list_id == list_id)
    with transaction() as session:
        session.execute(update(Entry).where(Entry.anilist_id.in_(titles)).values(changed_at=utcnow()))
        session.execute(delete(MappingSource).where(MappingSource.name == name))
        session.execute(delete(Lease).where(Lease.name == f"cache:{name}"))  # who is filling it now writes nothing
        gone = session.execute(delete(MappingList).where(MappingList.id == list_id))
        return bool(getattr(gone, "rowcount", 0))
