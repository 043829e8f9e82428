"""The linter of the private reference, where it is at hand."""

import re
import subprocess
import sys
from pathlib import Path

LEAST = 98


def complaints(shared: Path, folder: Path, mail: str | bytes, text: str = "") -> str:
    """What it has to say of a mail below `LEAST` points or with an error or a warning; empty where all is well.

    Args:
        shared: the private reference.
        folder: where to put the files.
        mail: an HTML part, or the bytes of a whole mail.
        text: the text part that belongs to an HTML part.
    """
    file = folder / ("mail.html" if isinstance(mail, str) else "mail.eml")
    file.write_bytes(mail.encode() if isinstance(mail, str) else mail)
    (folder / "mail.txt").write_text(text, encoding="utf-8")
    command: list[str | Path] = [sys.executable, shared / "checks" / "email_lint.py", file]
    if text:
        command += ["--text", folder / "mail.txt"]
    checked = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    score = re.search(r"score (\d+)/100", checked.stdout)
    if score and int(score[1]) >= LEAST and "0 error, 0 warning" in checked.stdout:
        return ""
    return checked.stdout + checked.stderr
