"""`feeds.toml` changed by a command: it stays the editors' file, with their comments, order and blank lines.

The file is cut into its `[[feed]]` blocks and what stands between them; a change touches a block and nothing else. The
new text takes the old one's place in one step, and never that of a text which somebody else wrote in the meantime.
"""

import fcntl
import os
import re
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import zip_longest
from pathlib import Path
from typing import Any

import tomlkit

from digest.errors import ConfigError, Fault, UnknownFeed, UsageError, WorkError
from digest.feeds.lists.records import duration, listed
from digest.model import Feed

_HEADER = re.compile(r"^[ \t]*\[.*$", re.MULTILINE)
_FEED_HEADER = re.compile(r"""[ \t]*\[\[[ \t]*(?:feed|"feed"|'feed')[ \t]*\]\]""")
_NOTHING_SAID = re.compile(r"[ \t]*(?:#.*)?")
_BLANK_END = re.compile(r"(?:\A|(?:\A|\n)[ \t]*\n)\Z")
_BLANK_START = re.compile(r"\A(?:[ \t]*\n)+")


def find(feeds: Sequence[Feed], wanted: str) -> Feed:
    """The one feed that an address, or a part of it or of its publisher's name, stands for.

    Raises:
        UnknownFeed: it stands for none.
        UsageError: it stands for several; names them.
    """
    if exact := next((feed for feed in feeds if feed.url == wanted), None):
        return exact
    if "://" in wanted and (same := listed(feeds, wanted)):
        return same
    part = wanted.strip().casefold()
    found = [feed for feed in feeds if part and (part in feed.url.casefold() or part in feed.publisher.casefold())]
    if not found:
        raise UnknownFeed(wanted)
    if len(found) > 1:
        named = "\n".join(f"  {feed.publisher}: {feed.url}" for feed in found)
        raise UsageError(f"{wanted!r} may be any of {len(found)} feeds; name one of them:\n{named}")
    return found[0]


def add(file: Path, feeds: Sequence[Feed]) -> tuple[Feed, ...]:
    """Write feeds behind those of the file; return those that were not in it already.

    Raises:
        ConfigError: the file is not TOML.
        UsageError: it is TOML that a command cannot change.
        WorkError: it cannot be written.
    """
    added: list[Feed] = []

    def change(text: str) -> str:
        listing = _Listing(file, text)
        added[:] = [feed for feed in feeds if feed.url not in listing.urls]
        return listing.with_blocks([_block(feed) for feed in added])

    rewrite(file, change)
    return tuple(added)


def remove(file: Path, url: str) -> None:
    """Take the block of a feed out; the comments around it stay.

    Raises:
        UnknownFeed: the file does not name it (any more).
        ConfigError, UsageError, WorkError: as in `add`.
    """

    def change(text: str) -> str:
        listing = _Listing(file, text)
        return listing.without(listing.position(url))

    rewrite(file, change)


def pause(file: Path, url: str, *, paused: bool) -> None:
    """Say that a feed is paused, or no longer; its other lines stay as they are.

    Raises:
        UnknownFeed: the file does not name it (any more).
        ConfigError, UsageError, WorkError: as in `add`.
    """

    def change(text: str) -> str:
        listing = _Listing(file, text)
        at = listing.position(url)
        document = tomlkit.parse(listing.blocks[at])
        block: Any = document["feed"]
        if paused:
            block[0]["paused"] = True
        else:
            block[0].pop("paused", None)
        return listing.with_block(at, tomlkit.dumps(document))

    rewrite(file, change)


def rewrite(file: Path, change: Callable[[str], str]) -> None:
    """Put what `change` makes of a file's text in its place. It is given whole lines that end in a line feed.

    Commands wait for each other; should an editor's program write the file meanwhile, `change` is asked again.

    Raises:
        ConfigError: the file is not TOML in UTF-8.
        WorkError: it cannot be written. Nothing has changed then.
    """
    target = file.resolve()
    try:
        with _alone_in(target.parent):
            while True:
                before = target.read_bytes()
                text = before.decode("utf-8")
                line_end = "\r\n" if "\r\n" in text else "\n"
                text = text.replace("\r\n", "\n")
                if text and not text.endswith("\n"):
                    text += "\n"
                changed = change(text)
                if changed == text or _replaced(target, before, changed.replace("\n", line_end).encode("utf-8")):
                    return
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError((Fault(file, 0, f"not valid TOML: {error}"),)) from error
    except OSError as error:
        raise WorkError(f"{file} cannot be written: {error.strerror or error}. Nothing has changed.") from error


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Wait until no other command changes a file of this folder. The lock is the kernel's, so a crash leaves none."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _replaced(target: Path, before: bytes, after: bytes) -> bool:
    """Whether the file now holds `after`; not if it no longer held `before`."""
    status = target.stat()
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(descriptor, status.st_mode & 0o7777)
            with suppress(PermissionError):
                os.fchown(descriptor, status.st_uid, status.st_gid)
            stream.write(after)
            stream.flush()
            os.fsync(descriptor)
        if target.read_bytes() != before:
            return False
        Path(name).replace(target)
        return True
    finally:
        Path(name).unlink(missing_ok=True)


class _Listing:
    """The text of a file as its feeds' blocks and the gaps before, between and behind them.

    A block begins with its header and ends with its last setting, so that comments behind it lie in the gap.
    """

    def __init__(self, file: Path, text: str) -> None:
        self._file, self._text = file, text
        self._feeds: list[dict[str, Any]] = tomllib.loads(text).get("feed", [])
        self.blocks: list[str] = []
        self._gaps: list[str] = []
        behind = 0
        headers = [*_HEADER.finditer(self._text)]
        for header, following in zip_longest(headers, headers[1:]):
            if not _FEED_HEADER.match(header[0]):
                continue
            lines = self._text[header.start() : following.start() if following else None].split("\n")
            while _NOTHING_SAID.fullmatch(lines[-1]):
                lines.pop()
            self.blocks.append("".join(f"{line}\n" for line in lines))
            self._gaps.append(self._text[behind : header.start()])
            behind = header.start() + len(self.blocks[-1])
        self._gaps.append(self._text[behind:])
        if _read(self.blocks) != self._feeds:
            raise self._unfit()

    @property
    def urls(self) -> list[str]:
        """The addresses that the file names."""
        return [str(feed.get("url", "")).strip() for feed in self._feeds]

    def position(self, url: str) -> int:
        """Which block names the feed."""
        if url not in self.urls:
            raise UnknownFeed(url)
        return self.urls.index(url)

    def with_blocks(self, blocks: Sequence[str]) -> str:
        """The text with blocks at its end, each behind a blank line."""
        if not blocks:
            return self._text
        distance = "" if _BLANK_END.search(self._text) else "\n"
        text = self._text + distance + "\n".join(blocks)
        return self._checked(text, [*self._feeds, *_read(blocks)])

    def with_block(self, at: int, block: str) -> str:
        """The text with another block in a block's place."""
        blocks = [*self.blocks[:at], block, *self.blocks[at + 1 :]]
        return self._checked(_joined(self._gaps, blocks), _read(blocks))

    def without(self, at: int) -> str:
        """The text without a block, and without the blank lines that would then come double."""
        before, behind = self._gaps[at : at + 2]
        if _BLANK_END.search(before):
            behind = _BLANK_START.sub("", behind)
        blocks = [*self.blocks[:at], *self.blocks[at + 1 :]]
        gaps = [*self._gaps[:at], before + behind, *self._gaps[at + 2 :]]
        return self._checked(_joined(gaps, blocks), _read(blocks))

    def _checked(self, text: str, feeds: Sequence[dict[str, Any]]) -> str:
        try:
            if tomllib.loads(text).get("feed", []) == feeds:
                return text
        except tomllib.TOMLDecodeError:
            pass
        raise self._unfit()

    def _unfit(self) -> UsageError:
        return UsageError(
            f"{self._file} is written in a way that no command can change. Give every feed a [[feed]] block of its own, "
            "or change the file by hand. Nothing has changed."
        )


def _joined(gaps: Sequence[str], blocks: Sequence[str]) -> str:
    return "".join(gap + block for gap, block in zip(gaps, [*blocks, ""], strict=True))


def _block(feed: Feed) -> str:
    """A feed's block, without the settings that say what goes without saying."""
    table = tomlkit.table()
    table.add("url", feed.url)
    table.add("publisher", feed.publisher)
    if feed.weight != 1.0:
        table.add("weight", feed.weight)
    if feed.language:
        table.add("language", feed.language)
    if feed.topics:
        table.add("topics", list(feed.topics))
    if feed.poll:
        table.add("poll", duration(feed.poll))
    for flag in ("paused", "official"):
        if getattr(feed, flag):
            table.add(flag, True)
    document = tomlkit.document()
    blocks = tomlkit.aot()
    blocks.append(table)
    document.add("feed", blocks)
    return tomlkit.dumps(document)


def _read(blocks: Sequence[str]) -> list[dict[str, Any]]:
    """What each block says by itself; nothing where it is not TOML by itself."""
    feeds: list[dict[str, Any]] = []
    for block in blocks:
        try:
            feeds += tomllib.loads(block)["feed"]
        except (tomllib.TOMLDecodeError, KeyError):
            feeds.append({})
    return feeds
