"""A list of readers comes in whole, but for the lines that are wrong, and goes out so that it can come in again."""

import csv
import io
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import IntegrityError

from digest.config import Config
from digest.errors import NoConsent
from digest.links import address_key
from digest.model import Cause, DeliveryState, Digest, Subscription, SubscriptionState
from digest.store import arrivals, suppressions, tables
from digest.store import engine as engines
from digest.store import subscribers as store
from digest.store.arrivals import Arrival
from digest.subscribers import preferences, transfer
from digest.subscribers.consent import subscribe
from digest.subscribers.data import erase
from digest.subscribers.judge import Judge, Vouched
from digest.subscribers.preferences import Choice
from digest.subscribers.sheet import COLUMNS
from digest.subscribers.transfer import Outcome, Verdict
from tests.conftest import NOW
from tests.delivery.audience import publish

ADDED, ALREADY, REPEATED, LEFT, SUPPRESSED, ERASED, REFUSED = Verdict
GROUNDS = "They confirmed their address at example.org"
MAILCHIMP = "Email Address,First Name,MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME"
ROLE = "It belongs to a function, at which no single person can have agreed."


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "readers.csv"


def judge(config: Config, grounds: str = GROUNDS, *, roles: bool = False) -> Judge:
    return Judge(config, config.digests[0], Vouched("ann", "readers.csv", grounds), NOW, roles=roles)


def bring_in(
    config: Config, engine: Engine, file: Path, content: str, *, dry_run: bool = False, roles: bool = False
) -> list[Outcome]:
    file.write_text(content, encoding="utf-8")
    return list(transfer.import_csv(engine, judge(config, roles=roles), file, dry_run=dry_run))


def verdicts(outcomes: Sequence[Outcome]) -> list[tuple[int, Verdict]]:
    return sorted((one.line, one.verdict) for one in outcomes)


def reasons(outcomes: Sequence[Outcome]) -> dict[int, str]:
    return {one.line: one.reason for one in outcomes if one.verdict is REFUSED}


def listed(engine: Engine) -> list[Subscription]:
    with engines.read(engine) as connection:
        return store.listing(connection)


def states(engine: Engine) -> dict[str, SubscriptionState]:
    return {one.address: one.state for one in listed(engine)}


def suppressed(config: Config, engine: Engine, address: str) -> str | None:
    key = address_key(address, config.signing_keys)
    with engines.read(engine) as connection:
        return suppressions.reasons(connection, [key]).get(key)


def suppress(config: Config, engine: Engine, address: str, cause: Cause, reason: str) -> None:
    with engines.write(engine) as connection:
        suppressions.suppress(connection, address_key(address, config.signing_keys), cause, reason, NOW)


def exported(engine: Engine) -> str:
    stream = io.StringIO()
    transfer.export_csv(engine, stream)
    return stream.getvalue()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(st.lists(st.text(alphabet=st.characters(exclude_characters="\n\r"), max_size=60), max_size=8))
def test_junk_around_good_lines_never_keeps_them_out(config: Config, sqlite_engine: Engine, junk: list[str]) -> None:
    file = config.home / "junk.csv"
    good = [f"{number}@reader.example" for number in range(9)]
    mixed = [line for pair in zip(junk, good[1:], strict=False) for line in pair]
    rest = good[1:][len(junk) :]
    file.write_bytes("\n".join(["email", good[0], *mixed, *rest]).encode("utf-8", "replace"))

    list(transfer.import_csv(sqlite_engine, judge(config), file))

    assert set(states(sqlite_engine)) >= set(good)


def test_one_bad_line_in_ten_leaves_the_other_nine(config: Config, engine: Engine, file: Path) -> None:
    bad = ["not an address", "ann@", "a@b.c, evil@x.y", "x@nowhere", '"open', "Ann <a@b.test>", "=?@x.test", "@"]
    lines = ["email,topics"] + [
        bad[number // 10 % 8] if number % 10 == 7 else f"reader{number}@reader.example,trade" for number in range(3000)
    ]

    came = bring_in(config, engine, file, "\n".join(lines))

    assert Counter(one.verdict for one in came) == {ADDED: 2700, REFUSED: 300}
    assert list(reasons(came)) == [number for number, line in enumerate(lines, start=1) if line in bad]
    assert all(reason.endswith(".") for reason in reasons(came).values())
    assert len(listed(engine)) == 2700


def test_who_vouches_for_a_consent_when_and_from_where_is_kept_with_it(
    config: Config, engine: Engine, file: Path
) -> None:
    bring_in(config, engine, file, f"{MAILCHIMP}\nann@x.test,Ann,2,2013-01-04 15:26:03,2013-01-05 08:00:00\n")

    with engines.read(engine) as connection:
        agreed = store.consent_of(connection, "ann@x.test")
    confirmed = datetime(2013, 1, 5, 8, 0, tzinfo=UTC)
    assert agreed == {
        "how": "import",
        "at": NOW.isoformat(),
        "by": "ann",
        "file": "readers.csv",
        "line": 2,
        "grounds": GROUNDS,
        "agreed_at": confirmed.isoformat(),
    }
    assert [one.since for one in listed(engine)] == [confirmed]


def test_nobody_comes_in_without_a_word_on_how_they_agreed(config: Config, sqlite_engine: Engine, file: Path) -> None:
    file.write_text("email\nann@x.test\n", encoding="utf-8")

    with pytest.raises(NoConsent):
        list(transfer.import_csv(sqlite_engine, judge(config, grounds=""), file))

    assert listed(sqlite_engine) == []


def test_importing_twice_is_importing_once_and_repeats_are_told_from_readers(
    config: Config, engine: Engine, file: Path
) -> None:
    content = "email\nann@reader.example\nANN@reader.example\nbob@reader.example\n"

    first = bring_in(config, engine, file, content)
    before = exported(engine)
    again = bring_in(config, engine, file, content)

    assert verdicts(first) == [(2, ADDED), (3, REPEATED), (4, ADDED)]
    assert verdicts(again) == [(2, ALREADY), (3, REPEATED), (4, ALREADY)]
    assert [one.reason for one in first if one.verdict is REPEATED] == ["The same as line 2."]
    assert exported(engine) == before


def test_an_interrupted_import_is_ended_by_doing_it_again(
    config: Config, sqlite_engine: Engine, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "BATCH", 10)
    content = "email\n" + "".join(f"{number}@x.test\n" for number in range(35)) + "3@x.test\n"
    file.write_text(content, encoding="utf-8")
    assert len(list(islice(transfer.import_csv(sqlite_engine, judge(config), file), 15))) == 15
    assert len(listed(sqlite_engine)) == 20

    again = bring_in(config, sqlite_engine, file, content)

    assert Counter(one.verdict for one in again) == {ALREADY: 20, ADDED: 15, REPEATED: 1}
    assert len(listed(sqlite_engine)) == 35


def test_a_row_that_the_database_will_not_have_takes_no_other_with_it(
    config: Config, sqlite_engine: Engine, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def choosy(connection: Connection, some: Sequence[Arrival], now: datetime) -> None:
        if any(one.address == "13@x.test" for one in some):
            raise IntegrityError("INSERT", None, ValueError("not this one"))
        bring_all_in(connection, some, now)

    bring_all_in = arrivals.bring_in
    monkeypatch.setattr(arrivals, "bring_in", choosy)

    came = bring_in(config, sqlite_engine, file, "email\n" + "".join(f"{number}@x.test\n" for number in range(50)))

    assert reasons(came) == {15: "The database will not have it: not this one."}
    assert len(listed(sqlite_engine)) == 49


def test_a_dry_run_says_the_same_and_does_nothing(config: Config, engine: Engine, file: Path) -> None:
    content = (
        "email,status\na@x.test,enabled\nb@x.test,unsubscribed\nc@x.test,blocklisted\nA@x.test,\nb@x.test,enabled\n"
    )

    tried = bring_in(config, engine, file, content, dry_run=True)
    assert listed(engine) == []
    assert suppressed(config, engine, "c@x.test") is None
    done = bring_in(config, engine, file, content)

    assert tried == done
    assert verdicts(done) == [(2, ADDED), (3, LEFT), (4, SUPPRESSED), (5, REPEATED), (6, REFUSED)]


def test_a_file_brings_nobody_back(config: Config, engine: Engine, file: Path) -> None:
    left = subscribe(config, engine, "left@reader.example", config.digests[0], (), NOW, how="form").subscription
    preferences.leave(engine, left.id, NOW)
    suppress(config, engine, "bounced@reader.example", Cause.BOUNCED, "hard bounce")

    came = bring_in(config, engine, file, "left@reader.example\nBounced@reader.example\nnew@reader.example\n")

    assert reasons(came) == {
        1: "Has unsubscribed; only a new consent brings them back.",
        2: "It must not be mailed again: hard bounce.",
    }
    assert states(engine) == {
        "left@reader.example": SubscriptionState.ENDED,
        "new@reader.example": SubscriptionState.ACTIVE,
    }


@pytest.mark.parametrize("word", ["unsubscribed", "Disabled", "ended"])
def test_whom_a_file_says_to_have_left_is_kept_so_wherever_it_says_it(
    config: Config, engine: Engine, file: Path, word: str
) -> None:
    came = bring_in(config, engine, file, f"email,status\nann@x.test,enabled\nbob@x.test,\nann@x.test,{word}\n")

    assert verdicts(came) == [(2, REFUSED), (3, ADDED), (4, LEFT)]
    assert reasons(came) == {2: "Line 4 of the file says that they are not to be mailed."}
    assert states(engine) == {"ann@x.test": SubscriptionState.ENDED, "bob@x.test": SubscriptionState.ACTIVE}


@pytest.mark.parametrize(
    ("word", "cause"),
    [
        ("blocklisted", Cause.OPERATOR),
        ("cleaned", Cause.BOUNCED),
        ("complained", Cause.COMPLAINED),
    ],
)
def test_whom_a_file_says_to_be_blocked_is_suppressed_and_no_address_is_kept(
    config: Config, engine: Engine, file: Path, word: str, cause: Cause
) -> None:
    came = bring_in(config, engine, file, f"email,status\nann@x.test,{word}\n")

    assert verdicts(came) == [(2, SUPPRESSED)]
    assert listed(engine) == []
    with engines.read(engine) as connection:
        found = suppressions.by_key(connection, address_key("ann@x.test", config.signing_keys))
    assert found is not None
    assert (found.cause, found.reason) == (cause, f"{word}, as the imported file says")


def test_mailchimps_files_of_those_who_left_need_no_consent(config: Config, engine: Engine, file: Path) -> None:
    for column, address in (("UNSUB_TIME", "left@x.test"), ("CLEAN_TIME", "gone@x.test")):
        file.write_text(f"{MAILCHIMP},{column}\n{address},Ann,2,,,2020-01-01 00:00:00\n", encoding="utf-8")
        list(transfer.import_csv(engine, judge(config, grounds=""), file))

    (left,) = listed(engine)
    assert (left.address, left.ended_at) == ("left@x.test", datetime(2020, 1, 1, tzinfo=UTC))
    assert suppressed(config, engine, "gone@x.test") == "cleaned, as the imported file says"


def test_a_file_ends_what_a_file_began_but_no_consent_of_a_readers_own(
    config: Config, engine: Engine, file: Path
) -> None:
    subscribe(config, engine, "own@x.test", config.digests[0], (), NOW, how="form")
    bring_in(config, engine, file, "email\nlisted@x.test\n")

    came = bring_in(config, engine, file, "email,status\nown@x.test,unsubscribed\nlisted@x.test,unsubscribed\n")

    assert reasons(came) == {2: "Reads here by a consent of their own, which the file does not end."}
    assert states(engine) == {"listed@x.test": SubscriptionState.ENDED, "own@x.test": SubscriptionState.ACTIVE}


def test_a_suppression_that_somebody_lifted_is_not_brought_back_by_the_old_file(
    config: Config, sqlite_engine: Engine, file: Path
) -> None:
    content = "email,status\nann@x.test,cleaned\n"
    bring_in(config, sqlite_engine, file, content)
    with engines.write(sqlite_engine) as connection:
        suppressions.lift(connection, address_key("ann@x.test", config.signing_keys), "Mended", NOW, author="ann")

    came = bring_in(config, sqlite_engine, file, content)

    assert verdicts(came) == [(2, REFUSED)]
    assert suppressed(config, sqlite_engine, "ann@x.test") is None


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("a@x.test,,trade spport", "No topic is called 'spport'."),
        ("a@x.test,unconfirmed,", "The file itself says that this subscription is unconfirmed."),
        ("a@x.test", "The line ends before the column that says whether they read."),
        ("Webmaster+x@x.test,,", ROLE),
        (",enabled,", "The line has no address."),
    ],
)
def test_a_line_that_cannot_be_used_is_refused_with_the_reason(
    config: Config, sqlite_engine: Engine, file: Path, line: str, reason: str
) -> None:
    came = bring_in(config, sqlite_engine, file, f"email,status,topics\n{line}\nb@x.test,,trade;jobs\n")

    assert reasons(came) == {2: reason}
    assert [(one.address, one.topics) for one in listed(sqlite_engine)] == [("b@x.test", ("jobs", "trade"))]


def test_addresses_of_functions_come_in_on_request(config: Config, sqlite_engine: Engine, file: Path) -> None:
    came = bring_in(config, sqlite_engine, file, "email\nwebmaster@x.test\n", roles=True)

    assert verdicts(came) == [(2, ADDED)]


def test_each_row_reads_the_digest_that_it_names(config: Config, sqlite_engine: Engine, file: Path) -> None:
    two = replace(config, digests=(*config.digests, Digest("weekly", "The Week")))

    came = bring_in(
        two, sqlite_engine, file, "email,digest\na@x.test,weekly\na@x.test,economy\nb@x.test,\nc@x.test,sport\n"
    )

    assert reasons(came) == {5: "Reads 'sport', not 'economy, weekly'."}
    assert sorted((one.address, one.digest) for one in listed(sqlite_engine)) == [
        ("a@x.test", "economy"),
        ("a@x.test", "weekly"),
        ("b@x.test", "economy"),
    ]


def test_rejected_lines_can_be_mended_and_imported_again(config: Config, sqlite_engine: Engine, file: Path) -> None:
    came = bring_in(config, sqlite_engine, file, "Name;E-Mail\nAnn;ann@x.test\n=Bob;bob@\nEve;webmaster@x.test\n")
    layout = transfer.layout_of(file)
    assert layout is not None
    with transfer.Rejected(file.with_name("rejected.csv"), layout) as rejected:
        for one in came:
            if one.verdict is REFUSED:
                rejected.add(one)

    written = rejected.place.read_text(encoding="utf-8-sig")
    assert next(line[:3] for line in csv.reader(written.splitlines())) == ["line", "reason", "Name"]
    assert "'=Bob" in written
    again = bring_in(config, sqlite_engine, file, written.replace("bob@", "bob@x.test"))

    assert verdicts(again) == [(2, ADDED), (3, REFUSED)]
    assert set(states(sqlite_engine)) == {"ann@x.test", "bob@x.test"}


def test_an_export_imports_again_without_loss(
    config: Config, engine: Engine, sqlite_template: Path, tmp_path: Path, file: Path
) -> None:
    for address, topics in (("=ann@x.test", ()), ("bob@x.test", ("trade", "jobs")), ("left@x.test", ("jobs",))):
        last = subscribe(config, engine, address, config.digests[0], topics, NOW, how="form").subscription
    preferences.leave(engine, last.id, NOW)
    preferences.choose(engine, 2, Choice(("-energy", "jobs", "trade"), date(2026, 3, 1), ("mon", "sat"), True), NOW)
    bring_in(config, engine, file, "email\nlisted@x.test\nbounced@x.test\n")
    suppress(config, engine, "bounced@x.test", Cause.BOUNCED, "550: no such user")
    file.write_text(exported(engine), encoding="utf-8")
    elsewhere = engines.connect(f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'elsewhere.db')}")

    came = list(transfer.import_csv(elsewhere, judge(config, grounds=""), file))

    assert Counter(one.verdict for one in came) == {ADDED: 3, LEFT: 1, SUPPRESSED: 1}
    kept = [[line[:-1] for line in csv.reader(io.StringIO(exported(one)))] for one in (engine, elsewhere)]
    assert kept[0] == kept[1]
    assert suppressed(config, elsewhere, "bounced@x.test") == "550: no such user"
    with engines.read(elsewhere) as connection:
        agreed = store.consent_of(connection, "=ann@x.test")
    assert agreed == {
        "how": "form",
        "at": NOW.isoformat(),
        "imported": "2026-02-10 06:00 UTC by ann from line 2 of readers.csv",
    }
    list(transfer.import_csv(elsewhere, judge(config, grounds=""), file))
    assert [line[:-1] for line in csv.reader(io.StringIO(exported(elsewhere)))] == kept[0]
    elsewhere.dispose()


def test_an_export_holds_nothing_that_a_spreadsheet_would_run(config: Config, sqlite_engine: Engine) -> None:
    for local in ("=cmd", "+1", "-1", "'=x", "'ann"):
        subscribe(config, sqlite_engine, f"{local}@x.test", config.digests[0], (), NOW, how="form")

    rows = list(csv.reader(io.StringIO(exported(sqlite_engine))))

    assert rows[0] == list(COLUMNS)
    assert not any(field.startswith(("=", "+", "-", "@")) for row in rows for field in row)


def test_a_raw_export_has_each_address_as_it_is(config: Config, sqlite_engine: Engine) -> None:
    subscribe(config, sqlite_engine, "=cmd@x.test", config.digests[0], (), NOW, how="form")
    stream = io.StringIO()

    transfer.export_csv(sqlite_engine, stream, raw=True)

    assert stream.getvalue().splitlines()[1].startswith("=cmd@x.test,")


def test_who_had_their_data_erased_is_not_brought_in_again_until_they_sign_up_themselves(
    config: Config, engine: Engine, file: Path
) -> None:
    subscribe(config, engine, "gone@x.test", config.digests[0], (), NOW, how="form")
    before = exported(engine)
    assert erase(engine, "gone@x.test", NOW)
    content = "email,status\ngone@x.test,enabled\nann@x.test,enabled\n"

    assert verdicts(bring_in(config, engine, file, before)) == [(2, ERASED)]
    assert verdicts(bring_in(config, engine, file, content.replace("gone@x.test,enabled", "gone@x.test,left"))) == [
        (2, ERASED),
        (3, ADDED),
    ]
    assert verdicts(bring_in(config, engine, file, content)) == [(2, ERASED), (3, ALREADY)]
    assert set(states(engine)) == {"ann@x.test"}

    subscribe(config, engine, "gone@x.test", config.digests[0], (), NOW, how="form")

    assert verdicts(bring_in(config, engine, file, content)) == [(2, ALREADY), (3, ALREADY)]


def test_nothing_is_mailed_to_a_suppressed_address_that_is_imported_again_or_carried_elsewhere(
    config: Config, engine: Engine, sqlite_template: Path, tmp_path: Path, file: Path
) -> None:
    content = "email\ngone@x.test\nann@x.test\n"
    bring_in(config, engine, file, content)
    suppress(config, engine, "gone@x.test", Cause.COMPLAINED, "complained")
    bring_in(config, engine, file, content)
    carried = exported(engine)
    elsewhere = engines.connect(f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'elsewhere.db')}")
    bring_in(config, elsewhere, file, carried)
    bring_in(config, elsewhere, file, content)

    for one in (engine, elsewhere):
        with engines.write(one) as connection:
            publish(connection, 0, NOW)
            sent = connection.execute(
                select(tables.subscribers.c.address, tables.deliveries.c.state).join_from(
                    tables.deliveries,
                    tables.subscribers,
                    tables.subscribers.c.id == tables.deliveries.c.subscriber_id,
                )
            ).all()
        assert dict(map(tuple, sent)) == {
            "ann@x.test": DeliveryState.QUEUED,
            "gone@x.test": DeliveryState.SUPPRESSED,
        }
    elsewhere.dispose()


def test_hours_and_zones_move_with_a_list_and_unknown_ones_are_refused(
    config: Config, engine: Engine, file: Path
) -> None:
    came = bring_in(
        config,
        engine,
        file,
        "email,hour,zone\nann@x.test,7,Asia/Tokyo\nbob@x.test,24,UTC\ncy@x.test,7,Mars/Olympus\ndee@x.test,,\n",
    )

    assert verdicts(came) == [(2, ADDED), (3, REFUSED), (4, REFUSED), (5, ADDED)]
    assert reasons(came)[4] == "'7' is no hour from 0 to 23, or 'Mars/Olympus' no zone such as 'Europe/Berlin'."
    assert [(one.hour, one.zone) for one in listed(engine)] == [(7, "Asia/Tokyo"), (None, "")]
    assert [(row["hour"], row["zone"]) for row in csv.DictReader(io.StringIO(exported(engine)))] == [
        ("7", "Asia/Tokyo"),
        ("", ""),
    ]


def test_languages_move_with_a_list_and_unknown_ones_are_refused(config: Config, engine: Engine, file: Path) -> None:
    """However a tag is written it is kept as we write it, and that of the site as no choice at all."""
    config = replace(config, languages=("en", "ar", "de", "pt-BR"))
    came = bring_in(
        config,
        engine,
        file,
        "email,language\nann@x.test,de\nbob@x.test,klingon\ncy@x.test,pt_br\ndee@x.test,en\neve@x.test,\n",
    )

    assert verdicts(came) == [(2, ADDED), (3, REFUSED), (4, ADDED), (5, ADDED), (6, ADDED)]
    assert reasons(came)[3] == "'klingon' is no language that readers can choose. There are: en, ar, de, pt-BR."
    assert [one.language for one in listed(engine)] == ["de", "pt-BR", "", ""]
    first = exported(engine)
    assert [row["language"] for row in csv.DictReader(io.StringIO(first))] == ["de", "pt-BR", "", ""]
    with engines.write(engine) as connection:
        for one in listed(engine):
            store.remove(connection, one.address, NOW)
        connection.execute(tables.past_subscriptions.delete())
    bring_in(config, engine, file, first)
    assert [one.language for one in listed(engine)] == ["de", "pt-BR", "", ""]
