"""Calendar files as offices write them, and worse ones."""

from pathlib import Path

from digest.config import Calendar, Match

NORLAND = Calendar("statistics.ics", "Statistics Norland", match=(Match(("consumer price",), ("inflation",)),))
PLAIN = Calendar("plain.ics", "Central Bank of Norland", topics=("central-banks",))


def event(title: str, start: str, *lines: str, uid: str = "") -> str:
    """A VEVENT; `start` is what stands after DTSTART, such as ":20260210" or ";TZID=Europe/Berlin:20260210T143000"."""
    named = (f"UID:{uid}",) if uid else ()
    return "\r\n".join(["BEGIN:VEVENT", *named, f"DTSTART{start}", f"SUMMARY:{title}", *lines, "END:VEVENT"]) + "\r\n"


def document(*parts: str, zone: str = "") -> bytes:
    """A VCALENDAR of these parts; `zone` is what it says of itself."""
    head = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Norland//EN\r\n"
    named = f"X-WR-TIMEZONE:{zone}\r\n" if zone else ""
    return (head + named + "".join(parts) + "END:VCALENDAR\r\n").encode()


def put(home: Path, calendar: Calendar, *parts: str) -> None:
    (home / calendar.file).write_bytes(document(*parts))
