"""Fields of a CSV file that a spreadsheet must not take for formulas (OWASP, CSV injection)."""

_FORMULA = tuple("=+-@\t\r\n\0＝＋－＠")
"""What begins a formula, in either width, and what spreadsheets leave out before they look."""


def guarded(field: str) -> str:
    """The field, with an apostrophe before it where a spreadsheet would compute it. `unguarded` takes that off again."""
    return f"'{field}" if _is_risky(field) else field


def unguarded(field: str) -> str:
    """The field that `guarded` was given."""
    return field[1:] if field.startswith("'") and _is_risky(field) else field


def _is_risky(field: str) -> bool:
    return field.lstrip("'").startswith(_FORMULA)
