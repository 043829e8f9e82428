"""What the DNS must say of our signatures: `dkim`."""

import click

from digest.cli import output
from digest.cli.context import Home, pass_home
from digest.delivery import dkim as signing
from digest.delivery.dkim import Signature

LONGEST_STRING = 255
"""Octets of one character-string (RFC 1035, section 3.3); a record may hold several, which count as one text."""


@click.command()
@output.json_option
@pass_home
def dkim(home: Home, as_json: bool) -> None:
    """Print the DNS records by which receivers check our signatures, as a zone file has them."""
    mine = signing.signatures(home.config)
    if as_json:
        output.document({"records": [{"name": one.name, "type": "TXT", "text": one.key.record} for one in mine]})
    elif not mine:
        click.echo("Mail is not signed: [dkim] in digest.toml names no selector.")
    for one in mine if not as_json else ():
        click.echo(in_zone(one))


def in_zone(signature: Signature) -> str:
    """A record as a zone file has it."""
    text = signature.key.record
    strings = [text[start : start + LONGEST_STRING] for start in range(0, len(text), LONGEST_STRING)]
    quoted = " ".join(f'"{one}"' for one in strings)
    return f"{signature.name}. IN TXT ( {quoted} )"
