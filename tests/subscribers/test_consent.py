"""Only what can be mailed becomes a subscriber, and nobody becomes one twice."""

from datetime import timedelta

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from digest.config import Config
from digest.errors import BadAddress
from digest.links import address_key
from digest.model import Cause, SubscriptionState
from digest.store import engine as engines
from digest.store import subscribers as store
from digest.store import suppressions, tables
from digest.subscribers.consent import checked, masked, subscribe
from digest.subscribers.preferences import leave
from tests.conftest import NOW


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("ann@reader.example", "ann@reader.example"),
        (" Ann.Smith@Reader.EXAMPLE\t", "Ann.Smith@reader.example"),
        ("ann+news@reader.example", "ann+news@reader.example"),
        ("postmaster@reader.test", "postmaster@reader.test"),
        ("reader@localhost", "reader@localhost"),
        ("ann@exämple.org", "ann@xn--exmple-cua.org"),
        ("ann@пример.рф", "ann@xn--e1afmkfd.xn--p1ai"),
    ],
)
def test_what_can_be_mailed_is_accepted_in_one_form(written: str, kept: str) -> None:
    assert checked(written) == kept
    assert checked(kept) == kept


@pytest.mark.parametrize(
    "written",
    [
        "",
        "ann",
        "ann@",
        "@reader.example",
        "ann@nowhere",
        "ann@reader.example, eve@evil.example",
        "Ann <ann@reader.example>",
        "ann@reader.example\r\nBcc: eve@evil.example",
        "ann@reader.example\n",
        "ann\x00@reader.example",
        "=?utf-8?q?x=0d=0aBcc:eve?=@evil.example",
        '"ann smith"@reader.example',
        "ann(comment)@reader.example",
        "ann@[127.0.0.1]",
        "ann@127.0.0.1",
        "mıke@reader.example",
        "ann@reader\u200b.example",
        "ann@reader.example.",
        "ann..smith@reader.example",
        f"{'a' * 65}@reader.example",
        f"ann@{'a.' * 125}example",
        "ann@printer.local",
        "\ud800@reader.example",
    ],
)
def test_what_cannot_be_mailed_is_refused_with_the_reason(written: str) -> None:
    with pytest.raises(BadAddress) as refused:
        checked(written)

    assert refused.value.reason.endswith(".")


@given(st.one_of(st.text(max_size=40), st.builds("{}@{}".format, st.text(max_size=20), st.text(max_size=20))))
def test_an_accepted_address_is_plain_ascii_and_holds_nothing_an_smtp_command_could_trip_over(written: str) -> None:
    try:
        accepted = checked(written)
    except BadAddress:
        return
    assert accepted.isascii()
    assert accepted.isprintable()
    assert accepted.count("@") == 1
    assert not set(accepted) & set(' <>,;:()[]"\\')
    assert len(accepted) <= 254


def test_a_masked_address_is_known_to_its_owner_only() -> None:
    assert masked("ann.smith@reader.example") == "a•••@reader.example"
    assert masked("a@reader.example") == "a•••@reader.example"


def test_a_reader_is_subscribed_with_a_record_of_the_consent(config: Config, sqlite_engine: Engine) -> None:
    done = subscribe(config, sqlite_engine, " Ann@Reader.example", config.digests[0], ("trade",), NOW, how="operator")

    assert done.created
    assert (done.subscription.address, done.subscription.topics) == ("Ann@reader.example", ("trade",))
    with engines.read(sqlite_engine) as connection:
        row = connection.execute(select(tables.subscribers)).one()
    assert row.consent == {"how": "operator", "at": NOW.isoformat()}
    assert row.address_key == address_key("ann@reader.example", config.keys)


def test_subscribing_twice_says_so(config: Config, sqlite_engine: Engine) -> None:
    first = subscribe(config, sqlite_engine, "ann@reader.example", config.digests[0], (), NOW, how="operator")
    again = subscribe(config, sqlite_engine, "ANN@reader.example", config.digests[0], (), NOW, how="operator")

    assert (again.created, again.subscription) == (False, first.subscription)


def test_one_who_left_can_be_subscribed_anew_by_hand(config: Config, sqlite_engine: Engine) -> None:
    first = subscribe(config, sqlite_engine, "ann@reader.example", config.digests[0], (), NOW, how="operator")
    leave(sqlite_engine, first.subscription.id, NOW)
    later = NOW + timedelta(days=60)

    again = subscribe(config, sqlite_engine, "ann@reader.example", config.digests[0], (), later, how="operator")

    assert again.created
    assert (again.subscription.state, again.subscription.since) == (SubscriptionState.ACTIVE, later)


def test_a_suppressed_address_is_refused_and_nothing_is_kept_of_it(config: Config, sqlite_engine: Engine) -> None:
    with engines.write(sqlite_engine) as connection:
        suppressions.suppress(
            connection, address_key("ann@reader.example", config.keys), Cause.COMPLAINED, "complaint", NOW
        )

    with pytest.raises(BadAddress, match="complaint"):
        subscribe(config, sqlite_engine, "Ann@reader.example", config.digests[0], (), NOW, how="operator")

    with engines.read(sqlite_engine) as connection:
        assert store.listing(connection) == []


@given(
    st.text("abZ09.+-_'=?~", min_size=1, max_size=70),
    st.sampled_from(["Reader.example", "exämple.org", "printer.local", "x..test", "127.0.0.1", f"{'a.' * 118}example"]),
)
def test_the_short_way_to_an_address_comes_to_where_the_long_one_does(local: str, domain: str) -> None:
    try:
        found = validate_email(
            f"{local}@{domain}", check_deliverability=False, allow_smtputf8=False, test_environment=True, strict=True
        )
        expected = "" if "=?" in local else f"{found.local_part}@{found.ascii_domain}"
    except EmailNotValidError:
        expected = ""

    try:
        assert checked(f"{local}@{domain}") == expected
    except BadAddress:
        assert expected == ""


_LABELS = st.text("abYZ09-", min_size=1, max_size=6) | st.sampled_from(
    ["xn--exmple-cua", "xn--a", "a" * 63, "a" * 64, "example", "local", "invalid", "arpa", "onion", "test", "com", "1"]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(_LABELS, min_size=1, max_size=6).map(".".join))
def test_a_plain_domain_is_judged_as_the_library_judges_it(domain: str) -> None:
    try:
        library = validate_email(f"a@{domain}", check_deliverability=False, test_environment=True).ascii_domain
    except EmailNotValidError:
        library = None

    try:
        ours = checked(f"a@{domain}").partition("@")[2]
    except BadAddress:
        ours = None

    assert ours == library
