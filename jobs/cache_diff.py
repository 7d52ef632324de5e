"""What of a data set has changed: the rows of a new file against those in the table. Pure.

Only changed rows are written, so that the database is locked for moments even when the file has 30,000 rows. Rows
that share an id are compared and replaced together, in the order of the file: where several rows have one id the
first counts, and that must not depend on which versions of the file an instance has seen.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Difference:
    """`gone`: ids of rows in the table that go; `fresh`: for each row of the file, whether it must be written."""

    gone: list[int]
    fresh: bytearray

    @property
    def count(self) -> int:
        """Rows that are deleted or written."""
        return len(self.gone) + sum(self.fresh)


class _Groups:
    """Rows joined by the ids that they share; a group is named by one of them (union-find with path halving)."""

    def __init__(self) -> None:
        self._parent: dict[int, int] = {}

    def join(self, keys: Sequence[int]) -> int:
        first = self.root(keys[0])
        for key in keys[1:]:
            other = self.root(key)
            if other != first:
                self._parent[other] = first
        return keys[0]

    def root(self, key: int) -> int:
        parent = self._parent
        while (above := parent.setdefault(key, key)) != key:
            parent[key] = parent[above]
            key = above
        return key


class _Side:
    """One of the two: content and group of each row, in order."""

    def __init__(self) -> None:
        self.contents = array("q")
        self.keys = array("q")

    def add(self, line: str, key: int) -> None:
        self.contents.append(hash(line))  # keyed by the process, so that no file can be made to collide
        self.keys.append(key)

    def of_groups(self, groups: _Groups) -> dict[int, int]:
        """What the rows of each group say, in their order."""
        said: dict[int, int] = {}
        for content, key in zip(self.contents, self.keys, strict=True):
            root = groups.root(key)
            said[root] = hash((said.get(root), content))
        return said


def difference(old: Iterable[tuple[int, Sequence[int], str]], new: Iterable[tuple[Sequence[int], str]]) -> Difference:
    """`old`: row id, ids of the group, content, in the order of the table; `new`: the same of the file, without row id.

    A row has at least one id of a group. Content is any text that is equal when the rows are.
    """
    groups, before, after, row_ids = _Groups(), _Side(), _Side(), array("q")
    for row_id, keys, line in old:
        before.add(line, groups.join(keys))
        row_ids.append(row_id)
    for keys, line in new:
        after.add(line, groups.join(keys))
    was, is_now = before.of_groups(groups), after.of_groups(groups)
    changed = {root for root in {*was, *is_now} if was.get(root) != is_now.get(root)}
    gone = compress(row_ids, (groups.root(key) in changed for key in before.keys))
    return Difference(list(gone), bytearray(groups.root(key) in changed for key in after.keys))


def fresh_lines(path: Path, fresh: bytearray, size: int) -> Iterator[list[str]]:
    """The lines of a staging file that must be written, in lists of at most `size`."""
    batch: list[str] = []
    with path.open(encoding="utf-8") as staging:
        for line in compress(staging, fresh):
            batch.append(line)
            if len(batch) == size:
                yield batch
                batch = []
    if batch:
        yield batch
