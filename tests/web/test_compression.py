"""Answers are small, static files are kept, and a page's length tells nothing of its secrets."""

from __future__ import annotations

import gzip
import re

from tests.web.conftest import Browser


def test_a_page_is_compressed_for_those_who_take_it_and_plain_for_others(small: Browser) -> None:
    packed = small.client.get("/settings", headers={"Accept-Encoding": "gzip, br"})
    plain = small.client.get("/settings")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    for answer in (packed, plain):
        assert "Accept-Encoding" in answer.headers["Vary"]
    assert "</html>" in gzip.decompress(packed.data).decode()
    assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data) / 2


def test_the_length_of_a_page_changes_by_itself(small: Browser) -> None:
    lengths = {len(small.client.get("/help", headers={"Accept-Encoding": "gzip"}).data) for _try in range(12)}
    assert len(lengths) > 1


def test_static_files_have_their_hash_in_the_address_and_are_kept(small: Browser) -> None:
    address = re.search(r'href="(/static/css/app\.css\?v=[0-9a-f]{10})"', small.get("/"))
    assert address
    with small.client.get(address[1], headers={"Accept-Encoding": "gzip"}) as answer:
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert gzip.decompress(answer.data).startswith(b"/*")
        tag = answer.headers["ETag"]
    with small.client.get(address[1]) as plain:
        assert plain.data.startswith(b"/*")
    with small.client.get(address[1], headers={"If-None-Match": tag, "Accept-Encoding": "gzip"}) as same:
        assert (same.status_code, same.data) == (304, b"")
    with small.client.get(address[1], headers={"Range": "bytes=0-1"}) as part:
        assert (part.status_code, part.data) == (206, b"/*")
    with small.client.get("/static/css/app.css") as unnamed:
        assert "immutable" not in unnamed.headers["Cache-Control"]


def test_the_first_load_is_light(small: Browser) -> None:
    """Under 45 kB in under 10 requests, posters apart."""
    headers = {"Accept-Encoding": "gzip"}
    page = small.client.get("/", headers=headers)
    text = gzip.decompress(page.data).decode()
    assets = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', text))
    weight = len(page.data)
    for path in assets:
        with small.client.get(path, headers=headers) as answer:
            assert answer.status_code == 200, path
            weight += len(answer.data)
    assert len(assets) + 1 < 10
    assert weight < 45_000
