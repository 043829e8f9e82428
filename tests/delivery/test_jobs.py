"""Workers share an edition by way of jobs; the ledger alone decides, whatever becomes of jobs and workers."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from digest.delivery import jobs as module
from digest.delivery.deliver import DeliveryReport
from digest.delivery.jobs import DELIVERIES_A_JOB, PostgresJobs
from digest.model import DeliveryState
from tests.delivery.runs import everyone
from tests.delivery.workers import Office, office, utc_now


@pytest.fixture
def there(tmp_path: Path, postgres_url: str) -> Iterator[Office]:
    with office(tmp_path, postgres_url) as made:
        yield made


def test_three_workers_share_an_edition_and_send_each_reader_one_message(there: Office) -> None:
    async def scenario() -> None:
        async with there.sink.serving(), there.sharing_out():
            for _ in range(3):
                await there.start("--concurrency", "1")
            await there.until(lambda: there.standing().workers == 3)
            there.publish(1600)
            await there.until(lambda: len(there.sink.accepted) >= 1600)
            assert await there.stop() == [0, 0, 0]

    asyncio.run(scenario())

    assert sorted(there.sink.recipients) == everyone(1600)
    assert there.states() == {DeliveryState.SENT: 1600}
    assert [log.read_text().count('"delivered"') > 0 for log in there.home.glob("worker-*.log")] == [True] * 3
    assert there.standing().workers == 0


def test_jobs_name_an_edition_and_a_batch_and_nobody(there: Office) -> None:
    edition = there.publish(DELIVERIES_A_JOB + 1)
    share_out(there)

    assert there.jobs() == [
        ("todo", f"deliver:{edition.id}:{batch}", {"edition": edition.id, "batch": batch}) for batch in range(2)
    ]


def test_sharing_out_again_and_at_once_makes_no_job_twice(there: Office) -> None:
    """Two schedulers, each every five seconds: a job that waits, and one that is being done, are there already."""
    there.publish(DELIVERIES_A_JOB * 3)
    share_out(there)
    before = there.jobs()
    there.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE args ->> 'batch' = '1'")

    async def several_at_once() -> None:
        await asyncio.gather(*(shared(there) for _ in range(4)))

    asyncio.run(several_at_once())

    assert len(before) == 3
    assert sorted(name for _, name, _ in there.jobs()) == sorted(name for _, name, _ in before)


def test_a_lost_job_is_made_again_as_long_as_something_is_due(there: Office) -> None:
    there.publish(10)
    share_out(there)
    there.execute("DELETE FROM procrastinate_jobs")
    share_out(there)

    assert [status for status, _, _ in there.jobs()] == ["todo"]


def test_a_job_that_runs_twice_and_two_on_one_batch_send_nothing_twice(there: Office) -> None:
    async def scenario() -> None:
        async with there.sink.serving():
            edition = there.publish(200)
            desk = module._Work(there.engine, utc_now, lambda: there.config, asyncio.Event())
            await asyncio.gather(desk.deliver(edition.id, 0), desk.deliver(edition.id, 0))
            await desk.deliver(edition.id, 0)

    asyncio.run(scenario())

    assert sorted(there.sink.recipients) == everyone(200)
    assert there.states() == {DeliveryState.SENT: 200}


def test_a_job_sends_no_more_than_its_share(there: Office) -> None:
    async def scenario() -> None:
        async with there.sink.serving():
            edition = there.publish(DELIVERIES_A_JOB + 40)
            desk = module._Work(there.engine, utc_now, lambda: there.config, asyncio.Event())
            await desk.deliver(edition.id, 0)

    asyncio.run(scenario())

    assert there.states() == {DeliveryState.SENT: DELIVERIES_A_JOB, DeliveryState.QUEUED: 40}


def test_when_nobody_works_the_service_says_so(there: Office) -> None:
    there.publish(1)

    assert share_out(there).problem == "No worker is at work, and 1 job waits. `digest work` starts one."


def share_out(there: Office) -> DeliveryReport:
    return asyncio.run(shared(there))


async def shared(there: Office) -> DeliveryReport:
    """What one scheduler does every five seconds, beginning with a look for what was left behind."""
    jobs = PostgresJobs(there.engine, utc_now)
    return await jobs.deliver(there.config, there.engine, utc_now, stop=asyncio.Event())
