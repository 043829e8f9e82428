"""Write the reference from the code itself: every command, setting and table.

    python -m docs.reference.write

A test compares what it would write with what stands there.
"""

import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import click
from sqlalchemy import Column

from digest.cli.main import SECTIONS, cli
from digest.store.tables import metadata

FOLDER = Path(__file__).resolve().parent
WRITTEN = "Written from the code by `make reference`; change it there."

TABLES = {
    "feeds": "What is read, what its server said last, and how it has behaved.",
    "articles": "What feeds published, cleaned.",
    "market_quotes": "A value of a market series on a day.",
    "editions": "One dated digest, frozen when it was published, held or left out.",
    "edition_items": "The stories of an edition, each with its place, its receipt and who else covers it.",
    "edition_records": "All that an edition was made of, packed, so that it can be made again.",
    "edition_articles": "In which edition of a digest an article ran first: it runs once.",
    "overrides": "What an editor ordered for a story or an edition, why, and until when.",
    "pictures": "Pictures made for editions, named by their content.",
    "corrections": "What was wrong in a story of a published edition.",
    "feedback": "What readers thought of an edition: the last word of each.",
    "pulses": "Signs of life of the service's parts, and what keeps one from working.",
    "letters": "Letters to editors, operators and single readers, each with a key that lets it go once.",
    "letter_orders": "Letters that wait to be written.",
    "search_texts": "Stories and editions as text to be searched.",
    "subscribers": "Addresses with consent.",
    "subscriptions": "A subscriber's choice of a digest.",
    "subscription_changes": "All that was done to a subscription: the evidence of consent.",
    "consent_texts": "What stood beside the button when somebody pressed it.",
    "signup_requests": "Who asked for what on the pages, for as long as limits look back.",
    "address_changes": "Changes of address that readers asked for, and what became of them.",
    "past_subscriptions": "Subscriptions of erased subscribers, so that links in old mails still end what they name.",
    "happenings": "What webhooks are to be told, until it is known whom to tell.",
    "webhook_calls": "Who is told what, and how it went.",
    "suppressions": "Addresses, as keyed hashes, that must not be mailed.",
    "suppression_changes": "All that was done to suppressions.",
    "deliveries": "The ledger: one edition to one subscriber.",
    "delivery_events": "Every change of a delivery, and what came back later.",
    "allowances": "How much is used of the limits that all senders share.",
    "returns": "Returned mail and complaints, one row for each that counts.",
    "return_counts": "Returned mail by what became of it.",
    "safe_modes": "When mailing stopped because clock or ledger were in doubt, and who went on.",
}
"""A sentence on each table."""


def commands() -> str:
    """All commands as their help shows them."""
    parts = [f"# Commands\n\n{WRITTEN} `digest COMMAND --help` says the same.\n"]
    above = click.Context(cli, info_name="digest", **cli.context_settings)
    for title, names in SECTIONS.items():
        parts.append(f"## {title}\n")
        for name in names:
            parts += _command(cli.commands[name], above)
    return "\n".join(parts)


def settings() -> str:
    """`digest.toml` as `digest init` writes it: each key is explained in its place."""
    text = files("digest").joinpath("starter", "digest.toml").read_text(encoding="utf-8")
    return (
        f"# Settings\n\n{WRITTEN} `digest init` writes this as `digest.toml`; what stands in it is the default. The heads of"
        f" `topics.toml` and `feeds.toml`, which it writes beside it, explain those.\n\n```toml\n{text.rstrip()}\n```\n"
    )


def tables() -> str:
    """All tables with their columns."""
    parts = [f"# Tables\n\n{WRITTEN} Times are UTC. `digest migrate` makes them.\n"]
    for table in sorted(metadata.tables.values(), key=lambda one: one.name):
        rows = "\n".join(_row(column) for column in table.columns)
        parts.append(
            f"## {table.name}\n\n{TABLES[table.name]}\n\n| column | type | may be empty | what |\n| --- | --- | --- | --- |\n{rows}\n"
        )
    return "\n".join(parts)


PAGES = {"commands.md": commands, "settings.md": settings, "tables.md": tables}


def _command(command: click.Command, above: click.Context) -> Iterator[str]:
    context = click.Context(command, parent=above, info_name=command.name, terminal_width=110)
    yield f"### {context.command_path}\n\n```text\n{command.get_help(context).rstrip()}\n```\n"
    if isinstance(command, click.Group):
        for name in sorted(command.commands):
            yield from _command(command.commands[name], context)


def _row(column: Column[object]) -> str:
    leads_to = sorted(f"→ {key.column.table.name}" for key in column.foreign_keys)
    what = ["key"] * column.primary_key + leads_to + [column.comment or ""] * bool(column.comment)
    kind = type(column.type).__name__.lower()
    return f"| {column.name} | {kind} | {'yes' if column.nullable else ''} | {'; '.join(what)} |"


def main() -> int:
    """Write all pages."""
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
