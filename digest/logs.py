"""Logs as one line an event: for people on a terminal, JSON elsewhere; of whatever is done, never to whom.

Libraries that log in the standard way come out in the same form. What a line holds passes through `redacted` and `tame` last,
whoever wrote it.
"""

import logging
import re
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TextIO

import structlog
from structlog.contextvars import bound_contextvars
from structlog.typing import EventDict, Processor, WrappedLogger

from digest.config import LogFormat
from digest.links import Purpose

HIDDEN = "…"
_SECRETS = "token|key|api_?key|secret|password|passwd|auth|sig|signature"
_RULES = (
    # Passwords, and the names they belong to: smtp://user:password@host.
    (re.compile(r"(://)[^/?#\s]+@"), rf"\1{HIDDEN}@"),
    (re.compile(rf"([?&](?:{_SECRETS})=)[^&#\s'\"<>]+", re.IGNORECASE), rf"\1{HIDDEN}"),
    # The authority of a signed link is its token, in an address of ours or alone: what it names, a dot, and the signature.
    (re.compile(rf"(/(?:{'|'.join(Purpose)})/)[^\s/?#'\"<>]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(?<![\w.-])\.?[\w-]+\.[\w-]{27}(?![\w-])"), HIDDEN),
    # An address, quoted or not, or as it stands in the address of a page. Not /@name, as some feeds are called.
    (
        re.compile(
            rf"(?:\"[^\"\n]*\"|[^\s<>\"'(),:;/?{HIDDEN}][^\s<>\"(),:;/?{HIDDEN}]*)(?:@|%40)[^\s<>\"'(),:;/?&#]+"
        ),
        HIDDEN,
    ),
)
_TRACEBACK = "exception"
_SECRET_KEY = re.compile(rf"(?:.*_)?(?:{_SECRETS})", re.IGNORECASE)


def configure(form: LogFormat = LogFormat.AUTO, stream: TextIO | None = None) -> None:
    """Send every log to standard error, or another stream, from `info` up."""
    out = stream or sys.stderr
    console = form is LogFormat.CONSOLE or (form is LogFormat.AUTO and out.isatty())
    steps = processors(console=console, colors=out.isatty())
    structlog.configure(
        processors=steps,
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *steps],
            foreign_pre_chain=[structlog.stdlib.add_logger_name],
        )
    )
    root = logging.getLogger()
    for former in ours():
        root.removeHandler(former)
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    # They report every run of every job, or every request; ours say what came of it.
    for library in ("apscheduler", "procrastinate"):
        logging.getLogger(library).setLevel(logging.ERROR)
    for library in ("uvicorn", "alembic", "asyncio"):
        logging.getLogger(library).setLevel(logging.WARNING)


def ours() -> list[logging.Handler]:
    """What `configure` has put there for libraries."""
    formatter = structlog.stdlib.ProcessorFormatter
    return [handler for handler in logging.getLogger().handlers if isinstance(handler.formatter, formatter)]


def processors(*, console: bool = False, colors: bool = False) -> list[Processor]:
    """What an event goes through until it is a line."""
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redacted,
        tame,
        structlog.dev.ConsoleRenderer(colors=colors)
        if console
        else structlog.processors.JSONRenderer(ensure_ascii=False),
    ]


@contextmanager
def run(part: str, **ids: object) -> Iterator[None]:
    """Let every line inside say of which run of a part it is, and what else is known of it."""
    with bound_contextvars(run=f"{part}-{uuid.uuid4().hex[:8]}", **ids):
        yield


def redacted(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """An event without addresses, tokens and passwords, however deep they lie in it."""
    return {key: HIDDEN if _SECRET_KEY.fullmatch(key) else _without(value) for key, value in event.items()}


def tame(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """An event whose strings neither begin a line of their own nor command a terminal. A traceback keeps its lines."""
    return {key: _tamed(value, "\n" if key == _TRACEBACK else "") for key, value in event.items()}


def _tamed(value: Any, spared: str = "") -> Any:
    match value:
        case str():
            return "".join(one if one.isprintable() or one in spared else _escaped(one) for one in value)
        case Mapping():
            return {_tamed(key): _tamed(one) for key, one in value.items()}
        case list():
            return [_tamed(one) for one in value]
        case _:
            return value


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode()


def hide(text: str) -> str:
    """A text without addresses, tokens and passwords."""
    for rule, instead in _RULES:
        text = rule.sub(instead, text)
    return text


def _without(value: Any) -> Any:
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            # An enum's word would be rendered as its member.
            return hide(str(value))
        case Mapping():
            return {hide(str(key)): _without(one) for key, one in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_without(one) for one in value]
        case _:
            return hide(str(value))
