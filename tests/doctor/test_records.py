"""`digest check` says what the DNS should say of us, record by record, and how to mend what it does not."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import pytest

from digest import signing
from digest.delivery.dkim import Signature
from digest.doctor import records
from digest.doctor.dns import Silent
from digest.doctor.records import Sender
from digest.findings import Finding, Level
from tests.delivery.test_dkim import RSA

KEY = signing.read(RSA)[0]
SIGNATURE = Signature("news.example", "m1", KEY)
SENDER = Sender("news.example", "bounce.news.example", (SIGNATURE,), "mx.news.example")
ADDRESS = "9.9.9.9"
WELL = {
    ("bounce.news.example", "TXT"): ("google-site-verification=1", "v=spf1 include:relay.example -all"),
    ("m1._domainkey.news.example", "TXT"): (KEY.record.replace("; ", ";"),),
    ("_dmarc.news.example", "TXT"): ("v=DMARC1; p=reject",),
    ("mx.news.example", "A"): (ADDRESS,),
    ("9.9.9.9.in-addr.arpa.", "PTR"): ("mx.news.example",),
}


def looked(zone: Mapping[tuple[str, str], tuple[str, ...]], sender: Sender = SENDER) -> dict[str, Finding]:
    async def ask(name: str, kind: str) -> tuple[str, ...]:
        return zone.get((name, kind), ())

    return {finding.subject: finding for finding in asyncio.run(records.examine(sender, ask))}


def test_a_sender_whose_records_are_all_there_is_well() -> None:
    assert {subject: one.level for subject, one in looked(WELL).items()} == dict.fromkeys(
        ("SPF", "DKIM m1", "DMARC", "PTR"), Level.OK
    )


@pytest.mark.parametrize(
    ("name", "kind", "texts", "subject", "level", "sentence"),
    [
        ("bounce.news.example", "TXT", (), "SPF", Level.FAULT, "bounce.news.example has no SPF record"),
        ("bounce.news.example", "TXT", ("v=spf1 -all", "v=spf1 mx -all"), "SPF", Level.FAULT, "Make one of them."),
        ("bounce.news.example", "TXT", ("v=spf1 mx +all",), "SPF", Level.FAULT, 'Let it end in "-all".'),
        ("bounce.news.example", "TXT", ("v=spf1 mx",), "SPF", Level.NOTE, "let its record end"),
        (
            "bounce.news.example",
            "TXT",
            ("v=spf1 redirect=relay.example",),
            "SPF",
            Level.OK,
            "see that it has your relay",
        ),
        ("m1._domainkey.news.example", "TXT", (), "DKIM m1", Level.FAULT, "`digest dkim` prints it."),
        ("m1._domainkey.news.example", "TXT", ("v=DKIM1; p=AAAA",), "DKIM m1", Level.FAULT, "another key"),
        ("_dmarc.news.example", "TXT", (), "DMARC", Level.FAULT, "Publish a TXT record at _dmarc.news.example"),
        ("9.9.9.9.in-addr.arpa.", "PTR", (), "PTR", Level.NOTE, "set a PTR record"),
        ("9.9.9.9.in-addr.arpa.", "PTR", ("elsewhere.example",), "PTR", Level.NOTE, "does not lead back"),
        ("mx.news.example", "A", ("10.0.0.5",), "PTR", Level.NOTE, "has no public address"),
    ],
)
def test_each_record_that_is_missing_or_wrong_has_its_sentence(
    name: str, kind: str, texts: tuple[str, ...], subject: str, level: Level, sentence: str
) -> None:
    found = looked({**WELL, (name, kind): texts})

    assert found[subject].level is level
    assert sentence in found[subject].sentence
    others = {one.level for key, one in found.items() if key != subject}
    assert others == {Level.OK}


def test_a_policy_of_the_domain_above_counts_and_mail_has_to_be_of_its_domain() -> None:
    below = replace(SENDER, from_domain="daily.news.example")
    assert looked(WELL, below)["DMARC"].level is Level.OK

    stranger = replace(SENDER, signatures=(), envelope_domain="relay.example")
    assert "so mail fails its policy" in looked(WELL, stranger)["DMARC"].sentence


def test_without_a_dns_there_is_one_note() -> None:
    async def ask(_name: str, _kind: str) -> tuple[str, ...]:
        raise Silent("timed out")

    (note,) = asyncio.run(records.examine(SENDER, ask))
    assert (note.level, "were not looked at" in note.sentence) == (Level.NOTE, True)
