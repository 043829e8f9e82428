"""What this machine has to have: room on its disks, a clock that is right, and secrets that nobody else can read."""

import math
import os
import stat
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from digest.findings import Finding, Group, Level

LEAST_MB, SCARCE_MB = 200, 1000
MOST_SKEW, SOME_SKEW = 60.0, 5.0
"""Seconds by which the clock may differ from another. Signatures and leases bear less than a minute."""

LEAST_KEY_BITS = 80
SECRETS = (
    *("DIGEST_SECRET_KEY", "DIGEST_SMTP_URL", "DIGEST_DKIM_KEY", "DIGEST_DATABASE_URL"),
    *("DIGEST_IMAP_URL", "DIGEST_HOOK_SECRET"),
)
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def keys(wanted: Iterable[tuple[str, tuple[str, ...]]]) -> Finding:
    """Whether the secrets that sign are hard to guess.

    Args:
        wanted: the variables that hold them, each with its secrets, newest first.
    """
    weak = [name for name, secrets in wanted if any(bits(secret) < LEAST_KEY_BITS for secret in secrets[:1])]
    if weak:
        sentence = (
            f"{' and '.join(weak)} could be guessed. Put a new one in front of it, and leave the old one behind a comma so that old "
            'links work: `python3 -c "import secrets; print(secrets.token_urlsafe(32))"` makes one.'
        )
        return Finding("strength", Level.FAULT, sentence, Group.SECRETS)
    return Finding("strength", Level.OK, "what signs links and reports is long enough.", Group.SECRETS)


def bits(secret: str) -> float:
    """How hard a secret is to guess at most, as the number of bits that its letters can hold."""
    counts = Counter(secret)
    return -sum(number * math.log2(number / len(secret)) for number in counts.values())


def secret_files(environment: Mapping[str, str]) -> Finding:
    """Whether only their owner can read the files that hold secrets. Those that an orchestrator mounts are its own affair."""
    named = {name: Path(environment[f"{name}_FILE"]) for name in SECRETS if environment.get(f"{name}_FILE")}
    plain = [name for name in named if environment.get(name)]
    if plain:
        sentence = f"{plain[0]} and {plain[0]}_FILE are both set, and the file is not read; unset one of them."
        return Finding("files", Level.NOTE, sentence, Group.SECRETS)
    open_to_others = [path for path in named.values() if _readable_by_others(path)]
    if open_to_others:
        paths = " ".join(str(path) for path in open_to_others)
        sentence = f"others on this machine can read {' and '.join(map(str, open_to_others))}: `chmod 600 {paths}`."
        return Finding("files", Level.FAULT, sentence, Group.SECRETS)
    told = (
        f"{len(named)} file{'s' * (len(named) != 1)}, readable by nobody else." if named else "all come from variables."
    )
    return Finding("files", Level.OK, told, Group.SECRETS)


def _readable_by_others(path: Path) -> bool:
    try:
        found = path.stat()
    except OSError:
        return False  # what cannot be read at all, the configuration says
    # Of a secret that is mounted, by Docker or Kubernetes, nobody but root can change the mode.
    mine = found.st_uid == os.geteuid() and not path.resolve().is_relative_to("/run")
    return mine and bool(found.st_mode & _OTHERS)


def disk(free: Mapping[Path, int]) -> Finding:
    """Whether there is room where we write.

    Args:
        free: bytes that are left, by folder.
    """
    path, left = min(free.items(), key=lambda one: one[1])
    megabytes = left / 1e6
    told = f"{megabytes:,.0f} MB are free at {path}"
    if megabytes < LEAST_MB:
        sentence = f"{told}. Sending stops when it is full: make room, or move the home folder to a larger disk."
        return Finding("disk", Level.FAULT, sentence, Group.MACHINE)
    if megabytes < SCARCE_MB:
        return Finding("disk", Level.NOTE, f"{told}; make room before it is less than {LEAST_MB} MB.", Group.MACHINE)
    return Finding("disk", Level.OK, f"{told}.", Group.MACHINE)


def clock(now: datetime, others: Mapping[str, datetime]) -> Finding:
    """Whether the clock agrees with others.

    Args:
        now: what this machine says.
        others: what each of the others said at that moment, by who it is.
    """
    if not others:
        sentence = "nobody could be asked what time it is; `timedatectl` says whether this machine's is kept right."
        return Finding("clock", Level.NOTE, sentence, Group.MACHINE)
    who, said = max(others.items(), key=lambda one: abs(now - one[1]))
    skew = abs((now - said).total_seconds())
    way = "ahead of" if now > said else "behind"
    if skew > MOST_SKEW:
        sentence = (
            f"it is {skew:,.0f} s {way} that of {who}: editions would be late or early, and messages of doubtful date. Have the machine's "
            "clock set by NTP (`timedatectl set-ntp true`)."
        )
        return Finding("clock", Level.FAULT, sentence, Group.MACHINE)
    if skew > SOME_SKEW:
        sentence = f"it is {skew:.0f} s {way} that of {who}; NTP would keep it right (`timedatectl set-ntp true`)."
        return Finding("clock", Level.NOTE, sentence, Group.MACHINE)
    return Finding("clock", Level.OK, f"it agrees with that of {' and '.join(others)}.", Group.MACHINE)
