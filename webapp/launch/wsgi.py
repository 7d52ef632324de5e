"""What gunicorn loads: the app, with its log lines on the console."""

from __future__ import annotations

from flask import Flask

from webapp import logs
from webapp.app import create_app
from webapp.config import load


def application() -> Flask:
    """The app for the environment of this process. Raises `ConfigError`."""
    config = load()
    logs.configure(config)
    return create_app(config)
