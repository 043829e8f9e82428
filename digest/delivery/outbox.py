"""Safe mode: mail becomes files in a folder and goes nowhere else."""

import os
import re
import tempfile
from pathlib import Path


def write(folder: Path, message_id: str, body: bytes) -> Path:
    """Write a mail as an `.eml` file named after its Message-ID; writing it again replaces it.

    The file appears whole or not at all.

    Raises:
        OSError: the folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"[^\w@.+-]", "_", message_id.strip("<>")).lstrip(".")
    path = folder / f"{name}.eml"
    handle, unfinished = tempfile.mkstemp(dir=folder, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(body)
        Path(unfinished).replace(path)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise
    return path
