"""`python -m webapp.simulator --port N [--data FILE --limit-entries N --seed S] [--state FILE]`."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from werkzeug.serving import WSGIRequestHandler, make_server

from webapp.simulator.app import create_simulator
from webapp.simulator.dataset import dataset_factory
from webapp.simulator.demo import demo_library
from webapp.simulator.world import World

READY = "simulator ready at "


class Quiet(WSGIRequestHandler):
    """No line per request: the counts are at `/_sim/requests`."""

    def log(self, *_: object) -> None:
        return


class StateFile:
    """Keeps what a person did across restarts: written a second after a change, and at the end."""

    def __init__(self, path: Path, world: World) -> None:
        self.path, self.world = path, world
        self._ended = threading.Event()

    def load(self) -> None:
        if self.path.exists():
            self.world.restore(json.loads(self.path.read_text(encoding="utf-8")))

    def save(self) -> None:
        with self.world.lock:
            if not self.world.dirty:
                return
            text, self.world.dirty = json.dumps(self.world.dump()), False
        fresh = self.path.with_suffix(".new")
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(self.path)

    def keep(self) -> None:
        while not self._ended.wait(1.0):
            self.save()

    def end(self) -> None:
        self._ended.set()
        self.save()


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="webapp.simulator", description="Stand-ins for AniList, Trakt, TMDB and the mapping hosts"
    )
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--data", type=Path, help="file of checked placements; the built-in demo library without it")
    parser.add_argument("--limit-entries", type=int, help="how many of its media stand on the list")
    parser.add_argument("--seed", type=int, default=1, help="which ones")
    parser.add_argument("--state", type=Path, help="file that keeps the state across restarts")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C; one line on the output says when it is ready."""
    options = arguments(argv)
    if options.data and not options.data.is_file():
        sys.stderr.write(f"There is no file {options.data}.\n")
        return 2
    factory = (
        dataset_factory(options.data, limit=options.limit_entries, seed=options.seed) if options.data else demo_library
    )
    world = World(factory)
    state = StateFile(options.state, world) if options.state else None
    server = make_server("127.0.0.1", options.port, create_simulator(world), threaded=True, request_handler=Quiet)
    if state:
        state.load()
        threading.Thread(target=state.keep, daemon=True).start()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    sys.stdout.write(f"{READY}http://127.0.0.1:{server.port}\n")
    sys.stdout.flush()
    server.serve_forever(poll_interval=0.1)
    if state:
        state.end()
    # Threads that wait in a fault would keep the process; nothing of theirs is worth waiting for.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
