"""What gunicorn loads: the app, with its log lines on the console."""

from __future__ import annotations

from flask import Flask

from webapp import create_app, logs
from webapp.config import load


def application() -> Flask:
    """The app for the environment of this process. Raises `ConfigError`."""
    config = load()
    logs.configure(config)
    return create_app(config)
