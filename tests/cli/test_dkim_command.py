"""`dkim` prints what the DNS must hold, and `check` says whether mail is signed."""

import json
import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.cli.shell import Run


@pytest.fixture
def key(run: Run, tmp_path: Path) -> str:
    """The path of a key file; the home's mail is to be signed."""
    assert run("init").returncode == 0
    settings = tmp_path / "digest.toml"
    settings.write_text(re.sub(r'selector = ""', 'selector = "s2026"', settings.read_text()))
    path = tmp_path / "dkim.pem"
    made = generate_private_key(65537, 2048)
    path.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return str(path)


def test_the_record_is_printed_as_zone_files_have_it(run: Run, key: str) -> None:
    printed = run("dkim", DIGEST_DKIM_KEY_FILE=key).stdout
    (record,) = json.loads(run("dkim", "--json", DIGEST_DKIM_KEY_FILE=key).stdout)["records"]
    strings = re.findall(r'"([^"]*)"', printed)

    assert printed.startswith("s2026._domainkey.example.org. IN TXT ( ")
    assert all(len(one) <= 255 for one in strings)
    assert "".join(strings) == record["text"]
    assert record["text"].startswith("v=DKIM1; k=rsa; p=")


def test_a_check_says_whether_mail_is_signed(run: Run, key: str) -> None:
    with_key = run("check", "--no-network", DIGEST_DKIM_KEY_FILE=key).stdout
    without = run("check", "--no-network")

    assert "mail is signed by s2026._domainkey.example.org (rsa-sha256)" in with_key
    assert "FAULT   dkim: DIGEST_DKIM_KEY is not set" in without.stdout
    assert run("dkim").stderr.startswith("Error: DIGEST_DKIM_KEY is not set: [dkim] in digest.toml says")


def test_unsigned_mail_is_no_fault(run: Run) -> None:
    run("init")

    assert run("dkim").stdout == "Mail is not signed: [dkim] in digest.toml names no selector.\n"
    assert "note    dkim: mail is not signed by us; a relay may do it." in run("check", "--no-network").stdout
