"""Logs as one line an event: readable on a terminal, JSON elsewhere, and never with an address in it."""

import logging
import sys

import structlog


def configure() -> None:
    """Send every log to standard error, from `info` up."""
    on_terminal = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer() if on_terminal else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    # Both report every run of every job; ours say what came of it.
    for engine in ("apscheduler", "procrastinate"):
        logging.getLogger(engine).setLevel(logging.ERROR)
