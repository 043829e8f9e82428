"""The child process: mails on standard input, what each says on standard output, within narrow limits."""

import sys

from digest import child
from digest.delivery.feedback.read import TooMuch, read

LENGTH_BYTES = 4
MEMORY_BYTES = 256 * 1024 * 1024
CPU_SECONDS = 6


def main() -> int:
    """Read one mail after the other, until there are no more; nothing is said of one that cannot be read."""
    questions, answers = sys.stdin.buffer, sys.stdout.buffer
    while length := questions.read(LENGTH_BYTES):
        child.confine(MEMORY_BYTES, CPU_SECONDS)
        try:
            said = read(questions.read(int.from_bytes(length))).packed()
        except (TooMuch, RecursionError, MemoryError):
            said = b""
        answers.write(len(said).to_bytes(LENGTH_BYTES) + said)
        answers.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
