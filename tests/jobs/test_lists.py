"""Subscribed lists: their word counts below a person's and above the caches; they never lead into the local network."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import responses
from flask import Flask
from sqlalchemy import func, select, update

from jobs import refresh, transport
from jobs.errors import BadData, ServiceDown
from jobs.mapping.correction_file import write
from jobs.public_address import NotPublic, check_url, is_public, public_address
from jobs.records import Placement, Refusal
from jobs.transport import Download
from tests.jobs.mapping.builders import TRAKT, fribbs, otaku, shape, spans
from tests.jobs.test_placing import World, _manual, world
from webapp.database import transaction
from webapp.models import Entry, EntrySpan, EpisodeOverride, ListMapping, MappingList, MappingSource, utcnow

__all__ = ["world"]

ADDRESS = "https://lists.example/anime.yaml"
SPAN = {"from": 1, "to": 4, "season": 2, "start": 5}


class Host:
    """Serves one file to every question."""

    def __init__(self, *rows: dict[str, Any], raw: bytes | None = None) -> None:
        self.content = raw if raw is not None else write(rows, [], "yaml").encode()
        self.asked: list[dict[str, Any]] = []

    def __call__(self, url: str, *, path: Path, **options: Any) -> Download:
        self.asked.append({"url": url, **options})
        path.write_bytes(self.content)
        return Download(200, '"1"', None, len(self.content))


def title(anilist_id: int, trakt_id: int, **more: Any) -> dict[str, Any]:
    return {"anilistId": anilist_id, "kind": "show", "traktId": trakt_id, **more}


def subscribe(name: str = "Good list", url: str = ADDRESS) -> int:
    with transaction() as session:
        row = MappingList(title=name, url=url, added_by="hanako")
        session.add(row)
        session.flush()
        return row.id


def filled(*rows: dict[str, Any], name: str = "Good list", url: str = ADDRESS) -> int:
    list_id = subscribe(name, url)
    state = refresh.refresh(f"list:{list_id}", download=Host(*rows))
    assert state.error is None
    return list_id


def test_a_list_comes_before_the_caches_and_after_every_person(world: World) -> None:
    world.caches(otaku(1, "1"), fribbs(1, 1))
    world.entry(1, 4)
    world.trakt.shapes.update({TRAKT: shape(4), 61: shape(4), 62: shape(4)})
    filled(title(1, 61))
    placed = world.place(1)[1]
    assert isinstance(placed, Placement)
    assert (placed.trakt_id, spans(placed)) == (61, [(1, 4, 1, 1)])
    assert placed.reason.startswith("The list Good list gives it to the Trakt show 61.")
    assert placed.sources["list"] == "The list Good list gives it to the Trakt show 61."
    world.add(_manual(world, 1, 62))
    assert world.place(1)[1].trakt_id == 62


def test_the_spans_of_a_list_give_way_to_overrides_and_to_a_persons_spans(world: World) -> None:
    world.caches(otaku(1, "1"), fribbs(1, 1))
    world.entry(1, 4)
    world.trakt.shapes[TRAKT] = shape(12, 12)
    filled(title(1, TRAKT, spans=[SPAN]))
    placed = world.place(1)[1]
    assert isinstance(placed, Placement)
    assert (placed.source, spans(placed)) == ("list", [(1, 4, 2, 5)])
    world.add(EpisodeOverride(trakt_id=TRAKT, abs=17, season=0, episode=9))
    assert spans(world.place(1)[1]) == [(1, 1, 0, 9), (2, 4, 2, 6)]
    world.add(EntrySpan(user_id=world.user_id, anilist_id=1, first=1, last=4, season=1, start=1))
    assert spans(world.place(1)[1]) == [(1, 4, 1, 1)]


def test_the_earlier_of_two_lists_is_heard_and_a_list_is_forgotten_with_its_subscription(world: World) -> None:
    world.caches(otaku(1, "1"), fribbs(1, 1))
    world.entry(1, 4)
    world.trakt.shapes.update({TRAKT: shape(4), 61: shape(4), 62: shape(4)})
    first = filled(title(1, 61), name="First")
    filled(title(1, 62), name="Second", url="https://lists.example/2")
    assert world.place(1)[1].trakt_id == 61
    with transaction() as session:
        session.delete(session.get_one(MappingList, first))
    assert world.place(1)[1].trakt_id == 62
    with transaction() as session:
        session.delete(session.scalars(select(MappingList)).one())
    assert world.place(1)[1].trakt_id == TRAKT
    with transaction(readonly=True) as session:
        assert session.scalar(select(func.count()).select_from(ListMapping)) == 0


def test_a_show_of_a_list_that_trakt_does_not_have_gives_way_to_the_sources(world: World) -> None:
    world.caches(otaku(1, "1"), fribbs(1, 1))
    world.entry(1, 4)
    world.trakt.shapes[TRAKT] = shape(4)
    filled(title(1, 61))
    placed = world.place(1)[1]
    assert not isinstance(placed, Refusal)
    assert placed.trakt_id == TRAKT


def test_a_movie_of_a_list_is_placed(world: World) -> None:
    world.entry(1, 1, format="MOVIE")
    filled(title(1, 61) | {"kind": "movie"})
    placed = world.place(1)[1]
    assert isinstance(placed, Placement)
    assert (placed.kind, placed.trakt_id) == ("movie", 61)
    assert "Good list" in placed.reason


def test_only_titles_that_changed_in_a_list_are_looked_at_again(world: World) -> None:
    for anilist_id in (1, 2, 3):
        world.entry(anilist_id)
    list_id = filled(title(1, 61), title(2, 62), title(3, 63))
    with transaction() as session:
        session.execute(update(Entry).values(changed_at=None))
    state = refresh.refresh(f"list:{list_id}", download=Host(title(1, 61), title(2, 99), title(3, 63)))
    assert state.error is None
    with transaction(readonly=True) as session:
        changed = select(Entry.anilist_id).where(Entry.changed_at.is_not(None))
        assert session.scalars(changed).all() == [2]


def test_a_list_that_loses_rows_or_is_no_list_is_held_back(app: Flask) -> None:
    list_id = filled(*(title(n, n) for n in range(1, 41)))
    name = f"list:{list_id}"
    for host, says in (
        (Host(title(1, 1)), "1 usable rows, 98 % fewer"),
        (Host(raw=b"<html>"), "web page"),
        (Host(raw=b"format: tsuzuki-corrections\nversion: 9\nmappings:\n- {anilistId: 1, traktId: 1, kind: show}\n"), "version 1"),
        (Host(raw=b"[" * 100_000), "nested|begin with"),
    ):  # fmt: skip
        error = refresh.refresh(name, download=host).error or ""
        assert any(part in error for part in says.split("|"))
        assert error.endswith("The rows from before stay in use.")
    with transaction(readonly=True) as session:
        assert session.scalar(select(func.count()).select_from(ListMapping)) == 40
        assert session.get_one(MappingSource, name).held_rows is None


def test_a_list_is_fetched_from_outside_only_with_its_own_limit_and_when_it_is_due(app: Flask) -> None:
    list_id, host = subscribe(), Host(title(1, 1))
    assert refresh.due_lists(utcnow()) == [list_id]
    refresh.refresh(f"list:{list_id}", download=host)
    assert host.asked[0]["public_only"] is True
    assert host.asked[0]["max_bytes"] == 8 * 2**20
    assert refresh.due_lists(utcnow()) == []
    assert refresh.refresh("list:999", download=host).error == "Nobody subscribes to this list any more."
    assert len(host.asked) == 1


# Addresses


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "198.18.0.1",
     "::1", "::", "fe80::1%eth0", "fc00::1", "fec0::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "no address"],
)  # fmt: skip
def test_addresses_that_lead_inside_are_known(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "185.199.108.133", "2606:50c0:8000::153", "::ffff:8.8.8.8"])
def test_addresses_of_the_internet_are_known(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    ["http://lists.example/", "ftp://lists.example/", "file:///etc/passwd", "https://", "https:///x", "https://me:secret@lists.example/", "https://localhost/", "https://a.localhost/",
     "https://printer.local/", "https://metadata.google.internal/", "https://router/", "https://127.0.0.1/", "https://[::1]/", "https://[fe80::1]/", "https://2130706433/", "https://0x7f.1/", "https://127.1/",
     "https://0x7f000001/", "https://169.254.169.254/latest", "https://localhost./", "https://lists.example:99999/", "https://[::1",
     "https://lists example/", "https://lists.example/a b", "https://lists.example/\x00"],
)  # fmt: skip
def test_no_such_address_is_fetched(url: str, tmp_path: Path) -> None:
    with pytest.raises(NotPublic):
        check_url(url)
    with pytest.raises(NotPublic):
        transport.download(url, path=tmp_path / "f", public_only=True, retries=0)


@responses.activate
@pytest.mark.parametrize("target", ["http://lists.example/", "https://10.0.0.1/", "https://localhost/x", "//[::1]/"])
def test_a_redirect_does_not_lead_inside(target: str, tmp_path: Path) -> None:
    responses.get(ADDRESS, status=302, headers={"Location": target})
    with pytest.raises(BadData):
        transport.download(ADDRESS, path=tmp_path / "f", public_only=True, retries=0)
    assert len(responses.calls) == 1


Resolver = Callable[..., list[tuple[Any, ...]]]


def answers(*turns: list[str]) -> Resolver:
    """A DNS that gives the next list of addresses each time it is asked for a name."""
    left = list(turns)

    def resolve(host: str, port: int, *_rest: Any, **_more: Any) -> list[tuple[Any, ...]]:
        found = [host] if host[0].isdigit() else left.pop(0)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    return resolve


def test_one_address_inside_is_enough_to_refuse_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", answers(["8.8.8.8", "10.0.0.1"], ["8.8.8.8"], []))
    with pytest.raises(NotPublic):
        public_address("lists.example", 443)
    assert public_address("lists.example", 443) == "8.8.8.8"
    with pytest.raises(NotPublic):
        public_address("lists.example", 443)


def test_the_connection_goes_to_the_address_that_was_looked_at(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A name that would answer with 127.0.0.1 the second time is asked once, and TLS is still spoken with the name."""
    tried: list[tuple[str, int]] = []

    def connect(address: tuple[str, int], *_rest: Any, **_more: Any) -> socket.socket:
        tried.append(address)
        raise OSError("no internet in a test")

    monkeypatch.setattr(socket, "getaddrinfo", answers(["8.8.8.8"], ["127.0.0.1"]))
    monkeypatch.setattr("urllib3.util.connection.create_connection", connect)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:3128")
    with pytest.raises(ServiceDown):
        transport.download(ADDRESS, path=tmp_path / "f", public_only=True, retries=0)
    assert tried == [("8.8.8.8", 443)]
    with pytest.raises(NotPublic):
        transport.download(ADDRESS, path=tmp_path / "f", public_only=True, retries=0)
    assert len(tried) == 1
