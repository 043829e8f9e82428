"""Who must not be mailed, and everything that was ever decided about it."""

from datetime import timedelta

from sqlalchemy import Engine

from digest.model import Cause, Suppression
from digest.store import engine as engines
from digest.store import subscribers, suppressions
from tests.conftest import NOW

LATER = NOW + timedelta(days=1)


def test_the_first_reason_stands_but_a_complaint_outdoes_it(engine: Engine) -> None:
    with engines.write(engine) as connection:
        assert suppressions.suppress(connection, "key", Cause.BOUNCED, "hard bounce", NOW)
        assert not suppressions.suppress(connection, "key", Cause.OPERATOR, "asked", LATER)
        assert suppressions.suppress(connection, "key", Cause.COMPLAINED, "complaint", LATER)
        assert not suppressions.suppress(connection, "key", Cause.COMPLAINED, "another", LATER)
        assert not suppressions.suppress(connection, "key", Cause.BOUNCED, "hard bounce", LATER)

        assert suppressions.by_key(connection, "key") == Suppression("key", "complaint", NOW, Cause.COMPLAINED)
        assert [(one.cause, one.at) for one in suppressions.changes(connection, "key")] == [
            (Cause.BOUNCED, NOW),
            (Cause.COMPLAINED, LATER),
        ]


def test_an_undo_is_kept_with_who_did_it_and_why(engine: Engine) -> None:
    with engines.write(engine) as connection:
        suppressions.suppress(connection, "key", Cause.COMPLAINED, "complaint", NOW)
        suppressions.suppress(connection, "other", Cause.BOUNCED, "hard bounce", NOW)
        undone = suppressions.lift(connection, "key", "pressed the wrong button", LATER, author="ana")

        assert undone is not None
        assert undone.cause is Cause.COMPLAINED
        assert suppressions.lift(connection, "key", "again", LATER, author="ana") is None
        assert suppressions.reasons(connection, ["key", "other"]) == {"other": "hard bounce"}
        last = suppressions.changes(connection, "key")[-1]
        assert (last.lifted, last.cause, last.author, last.at) == (True, Cause.COMPLAINED, "ana", LATER)
        assert last.reason == "pressed the wrong button"
        assert suppressions.lifted_at(connection, "key") == LATER
        assert suppressions.lifted_at(connection, "other") is None


def test_a_suppression_names_its_address_for_as_long_as_there_is_a_reader(engine: Engine) -> None:
    with engines.write(engine) as connection:
        subscribers.add(connection, "ann@reader.example", "ann", "economy", (), {"how": "test"}, NOW)
        suppressions.suppress(connection, "ann", Cause.BOUNCED, "hard bounce", NOW)
        suppressions.suppress(connection, "gone", Cause.BOUNCED, "hard bounce", LATER)

        assert [one.address for one in suppressions.listing(connection)] == ["", "ann@reader.example"]
        assert [one.address_key for one in suppressions.listing(connection, limit=1)] == ["gone"]
        subscribers.remove(connection, "ann@reader.example", NOW)
        assert [one.address for one in suppressions.listing(connection)] == ["", ""]
