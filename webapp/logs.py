"""How processes speak on the console: one line each, as text or as JSON. Secrets never reach a log record."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from webapp.config import Config

TEXT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
QUIET = ("rq", "urllib3", "alembic", "werkzeug")  # of these only warnings are of interest


class JsonFormatter(logging.Formatter):
    """One JSON object per line; `run_id` where a record carries one."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        run_id = getattr(record, "run_id", None)
        if run_id is not None:
            line["run_id"] = run_id
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def configure(config: Config) -> None:
    """Send all records of this process to standard output, by `LOG_LEVEL` and `LOG_FORMAT`."""
    handler = logging.StreamHandler(sys.stdout)
    text = logging.Formatter(TEXT, datefmt="%H:%M:%S")
    handler.setFormatter(JsonFormatter() if config.LOG_FORMAT == "json" else text)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(config.LOG_LEVEL.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
