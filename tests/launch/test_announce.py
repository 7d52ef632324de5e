"""The address is printed once everything behind it is ready."""

from __future__ import annotations

from flask import Flask

from webapp.extensions import db
from webapp.launch.announce import SOURCES, caches_filled
from webapp.models import MappingSource


def add(name: str, rows: int) -> None:
    db.session.add(MappingSource(name=name, url="https://example.org/file", rows_kept=rows))
    db.session.commit()


def test_the_three_caches_must_be_filled_whatever_else_is_subscribed(app: Flask) -> None:
    add("list:1", 5)
    for name in SOURCES[:2]:
        add(name, 3)
    assert not caches_filled()
    add(SOURCES[2], 3)
    assert caches_filled()
