"""Exit status 0 when the web server of this container answers `/healthz`. Run by its path: loads nothing of the app."""

from __future__ import annotations

import http.client
import os
import sys


def main() -> int:
    """Asks the address that the server was told to listen on."""
    root = os.environ.get("APPLICATION_ROOT", "/").rstrip("/")
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("PORT", "8000")), timeout=4)
    try:
        connection.request("GET", f"{root}/healthz")
        return 0 if connection.getresponse().status == 200 else 1
    except OSError:
        return 1


if __name__ == "__main__":
    sys.exit(main())
