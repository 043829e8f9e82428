"""What readers thought of an edition: the last word of each, for as long as there are the reader and the edition."""

from datetime import timedelta

from sqlalchemy import Engine, delete

from digest.store import editions, feedback, subscribers
from digest.store.engine import write
from digest.store.feedback import Feedback
from digest.store.tables import subscriptions
from tests.editions import samples
from tests.editions.samples import NOW


def test_the_last_word_of_each_reader_counts(engine: Engine) -> None:
    with write(engine) as connection:
        edition = editions.insert(connection, samples.edition())
        assert edition is not None
        ann, bob = (
            subscribers.add(connection, f"{name}@reader.example", name, "economy", (), {}, NOW)
            for name in ("ann", "bob")
        )
        assert ann
        assert bob
        assert feedback.counts(connection, edition.id) == Feedback()

        for reader, useful in ((ann, True), (bob, True), (ann, False), (ann, False)):
            feedback.keep(connection, edition.id, reader.id, useful=useful, now=NOW + timedelta(hours=1))

        assert feedback.counts(connection, edition.id) == Feedback(useful=1, not_useful=1)
        assert feedback.counts(connection, edition.id + 1) == Feedback()
        connection.execute(delete(subscriptions).where(subscriptions.c.id == ann.id))
        assert feedback.counts(connection, edition.id) == Feedback(useful=1)
