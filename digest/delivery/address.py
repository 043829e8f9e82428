"""What an address must not hold, whoever let it in: nothing that reads as a second recipient, header or command."""

import re

# The dot-atom of RFC 5322, section 3.2.3, with the letters that RFC 6532 adds; quoted local parts are left out.
_PLAIN = re.compile(r"[\w!#$%&'*+/=?^`{|}~.-]+@[\w.-]+|[\w!#$%&'*+/=?^`{|}~.-]+@\[[0-9A-Fa-f.:]+\]")
LONGEST = 254
_LONGEST_CHARACTER = 4


def fault(address: str) -> str | None:
    """Why the address cannot stand in an envelope or a header; None where it can."""
    if len(address) * _LONGEST_CHARACTER > LONGEST and len(address.encode("utf-8", "replace")) > LONGEST:
        return f"it is longer than {LONGEST} bytes"
    if not _PLAIN.fullmatch(address):
        return "it is not one plain address"
    if "=?" in address:
        return "it holds the beginning of an encoded word"
    return None
