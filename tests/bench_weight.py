"""`./run bench weight`: what the first load of each main page costs a browser that has nothing yet, posters apart.

The pages are those of a library in which everything occurs. Counted are the bodies as they are sent, compressed, of the page and
of all that it names: styles, scripts, pictures, the icon. Ends with 1 above 10 requests or 45 kB.
"""

from __future__ import annotations

import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flask.testing import FlaskClient

from tests.e2e import house
from tests.web.conftest import Browser

PAGES: Final = ("/login", "/", "/sync", "/history", "/review", "/mappings", "/settings")
MOST_REQUESTS, MOST_KB = 10, 45.0
NAMED: Final = re.compile(r'<(?:link|script|img)\b[^>]*?(?:href|src)="([^"]+)"[^>]*>')


@dataclass(frozen=True)
class Weight:
    """`parts`: address -> bytes on the wire."""

    page: str
    parts: dict[str, int]

    @property
    def kilobytes(self) -> float:
        return sum(self.parts.values()) / 1000

    @property
    def is_light(self) -> bool:
        return len(self.parts) < MOST_REQUESTS and self.kilobytes < MOST_KB


def weigh(client: FlaskClient, page: str) -> Weight:
    """The page and everything of ours that it names, each once, as a browser fetches it."""
    parts = {}
    text = client.get(page).get_data(as_text=True)
    posters = set(re.findall(r'class="poster[^>]*>\S*<img[^>]*?src="([^"]+)"', text))
    for address in [page, *dict.fromkeys(NAMED.findall(text))]:
        if address in posters or not address.startswith("/"):
            continue
        answer = client.get(address, headers={"Accept-Encoding": "gzip"})
        if answer.status_code != 200:
            raise SystemExit(f"{address}: {answer.status_code}")
        parts[address.partition("?")[0]] = len(answer.get_data())
    return Weight(page, parts)


def weights(folder: Path) -> list[Weight]:
    with house.furnished(folder) as made:
        stranger = weigh(made.app.test_client(), PAGES[0])
        client = Browser(made.app).sign_in().client
        return [stranger, *(weigh(client, page) for page in PAGES[1:])]


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="tsuzuki-bench-") as folder:
        found = weights(Path(folder))
    sys.stdout.write(f"{'first load of':30}{'requests':>10}{'kB':>8}\n")
    for weight in found:
        sys.stdout.write(f"{weight.page:30}{len(weight.parts):>10}{weight.kilobytes:>8.1f}\n")
    sys.stdout.write("\nof / in bytes\n")
    home = next(weight for weight in found if weight.page == "/")
    for address, size in home.parts.items():
        sys.stdout.write(f"{address:40}{size:>8}\n")
    return 0 if all(weight.is_light for weight in found) else 1


if __name__ == "__main__":
    raise SystemExit(main())
