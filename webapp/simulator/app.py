"""The simulator as one WSGI app: its blueprints, and the door that counts requests, holds the lock and plays faults."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING, cast

from flask import Flask, render_template

from webapp.simulator import anilist, anilist_auth, control, faults, mapping_files, posters, tmdb, trakt, trakt_auth
from webapp.simulator.world import World

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MAX_BODY = 8_000_000


def create_simulator(world: World) -> Flask:
    """The app for `world`. It is a process of its own and is never registered in Tsuzuki's `create_app`."""
    app = Flask(__name__)
    app.json.ensure_ascii = False  # type: ignore[attr-defined] # Flask's default provider has it
    for module in (anilist, anilist_auth, trakt, trakt_auth, tmdb, mapping_files, posters, control):
        app.register_blueprint(module.blueprint(world))

    @app.get("/")
    def index() -> str:
        return render_template("index.html", world=world)

    app.wsgi_app = Door(app.wsgi_app, world)  # type: ignore[method-assign] # as Flask documents for middleware
    return app


class Door:
    """Reads the whole request, finds its fault, lets the app answer under the lock, and sends or spoils the answer."""

    def __init__(self, app: WSGIApplication, world: World) -> None:
        self.app, self.world = app, world

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        length = min(int(environ.get("CONTENT_LENGTH") or 0), MAX_BODY)
        environ["wsgi.input"] = BytesIO(environ["wsgi.input"].read(length) if length else b"")
        service, path = self._service(str(environ["PATH_INFO"]))
        fault = None
        if service not in ("_sim", "static"):
            with self.world.lock:
                self.world.counts[service, f"{environ['REQUEST_METHOD']} {path}"] += 1
                fault = faults.take(self.world.faults, service, str(environ["REQUEST_METHOD"]), path)
        if fault and (answer := faults.before(fault, environ)):
            return answer.send(start_response)
        answer = self._ask(environ)
        if fault:
            answer = faults.after(fault, environ, answer)
        return answer.send(start_response)

    @staticmethod
    def _service(path: str) -> tuple[str, str]:
        """("trakt", "/sync/history") of /trakt/sync/history; AniList's sign-in counts apart."""
        _, service, *rest = path.split("/", 2)
        below = f"/{rest[0]}" if rest else "/"
        return ("anilist-auth", below) if service == "anilist" and below.startswith("/oauth") else (service, below)

    def _ask(self, environ: WSGIEnvironment) -> faults.Answer:
        seen: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, headers: list[tuple[str, str]], *_: object) -> object:
            seen.append((status, headers))
            return seen.append

        with self.world.lock:
            parts = self.app(environ, cast("StartResponse", start))
            body = b"".join(parts)
            if close := getattr(parts, "close", None):
                close()
        status, headers = seen[-1]
        return faults.Answer(status, headers, body)
