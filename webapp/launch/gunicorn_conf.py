"""gunicorn's settings that are no matter of taste; address and threads come from the command line."""

from __future__ import annotations

import ctypes
import os
import signal
from pathlib import Path
from typing import Any

from webapp.memory import keep_what_is_loaded

proc_name = "tsuzuki-web"
graceful_timeout = 10  # seconds for open requests when the server stops
timeout = 60  # a worker that does not turn its loop for so long is started again
keepalive = 5
forwarded_allow_ips = ""  # X-Forwarded-* is ProxyFix's matter, by TRUST_PROXY and TRUST_PROXY_FROM
limit_request_line = 8190
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - the heartbeat file, made private by gunicorn
accesslog = None
errorlog = "-"
loglevel = "warning"


def post_fork(_server: Any, _worker: Any) -> None:
    """A worker whose master was killed would hold the port against the next one."""
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        os._exit(1)


def post_worker_init(_worker: Any) -> None:
    keep_what_is_loaded()
