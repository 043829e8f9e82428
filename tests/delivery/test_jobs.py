"""Workers share an edition by way of jobs; the ledger alone decides, whatever becomes of jobs and workers."""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from digest import checkup
from digest.delivery import jobs as module
from digest.delivery.deliver import DeliveryReport
from digest.delivery.jobs import DELIVERIES_A_JOB, STOP_SECONDS, PostgresJobs
from digest.findings import Level
from digest.model import DeliveryState
from tests.delivery.runs import everyone
from tests.delivery.sink import saying
from tests.delivery.workers import Office, office, utc_now
from tests.feeds.servers import serving


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
    """As many jobs wait as there are batches, whoever counts them, and no name of one that is being done is given anew."""
    edition = there.publish(DELIVERIES_A_JOB * 3)
    share_out(there)
    there.execute(
        "WITH worker AS (INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id) UPDATE procrastinate_jobs"
        " SET status = 'doing', worker_id = (SELECT id FROM worker) WHERE args ->> 'batch' = '1'"
    )

    async def several_at_once() -> None:
        await asyncio.gather(*(shared(there) for _ in range(4)))

    asyncio.run(several_at_once())

    assert sorted((name, status) for status, name, _ in there.jobs()) == [
        (f"deliver:{edition.id}:{batch}", "doing" if batch == 1 else "todo") for batch in range(4)
    ]


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


# ── accidents ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_when_a_worker_is_killed_others_finish_and_only_what_was_in_doubt_comes_twice(there: Office) -> None:
    async def scenario() -> None:
        async with there.sink.serving(), there.sharing_out():
            there.publish(1500)
            for _ in range(3):
                await there.start("--concurrency", "1")
            await there.until(lambda: len(there.sink.accepted) >= 300 and there.standing().workers == 3)
            there.workers[0].send_signal(signal.SIGKILL)
            await there.workers[0].wait()
            await there.until(lambda: there.states().get(DeliveryState.QUEUED, 0) == 0 and len(there.doing()) <= 1)
            there.worker_dies()
            there.leases_run_out()
            await shared(there)
            await there.until(lambda: there.states() == {DeliveryState.SENT: 1500} and not there.jobs())
            assert await there.stop() == [-signal.SIGKILL, 0, 0]

    asyncio.run(scenario())

    copies = Counter(there.sink.recipients)
    assert sorted(copies) == everyone(1500)
    assert max(copies.values()) <= 2
    assert {reader for reader, number in copies.items() if number > 1} <= there.doubtful()
    assert len(there.doubtful()) <= 4


def test_the_job_of_a_worker_that_died_is_put_back_and_its_doubtful_messages_are_held_if_so_wished(
    there: Office,
) -> None:
    """`hold`: whatever was offered when the worker died goes to nobody a second time."""
    there.doubtful_are("hold")

    async def scenario() -> None:
        async with there.sink.serving(), there.sharing_out():
            there.publish(600)
            await there.start("--concurrency", "1")
            await there.until(lambda: len(there.sink.accepted) >= 100)
            there.workers[0].send_signal(signal.SIGKILL)
            await there.workers[0].wait()
            assert len(there.doing()) == 1
            there.worker_dies()
            there.leases_run_out()
            await shared(there)
            assert there.doing() == []
            await there.start("--concurrency", "1")
            await there.until(lambda: set(there.states()) <= {DeliveryState.SENT, DeliveryState.UNKNOWN})
            assert await there.stop() == [-signal.SIGKILL, 0]

    asyncio.run(scenario())

    states = there.states()
    assert max(Counter(there.sink.recipients).values()) == 1
    assert len(there.sink.accepted) >= states[DeliveryState.SENT] >= 596


def test_a_stopped_worker_ends_within_eight_seconds_and_leaves_nothing_in_doubt(there: Office) -> None:
    async def scenario() -> float:
        async with there.sink.serving():
            there.publish(2000)
            await shared(there)
            await there.start()
            await there.until(lambda: len(there.sink.accepted) >= 200)
            began = time.monotonic()
            assert await there.stop() == [0]
            return time.monotonic() - began

    seconds = asyncio.run(scenario())
    states = there.states()

    assert seconds < STOP_SECONDS
    assert set(states) == {DeliveryState.SENT, DeliveryState.QUEUED}
    assert states[DeliveryState.SENT] == len(there.sink.accepted)
    assert there.doing() == []
    assert there.standing().workers == 0


def test_a_worker_outlives_its_connections_to_the_database(there: Office) -> None:
    async def scenario() -> None:
        async with there.sink.serving(), there.sharing_out():
            await there.start()
            await there.until(lambda: there.standing().workers == 1)
            there.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'digest-work'"
                " AND datname = current_database()"
            )
            there.publish(50)
            await there.until(lambda: there.states() == {DeliveryState.SENT: 50})
            assert await there.stop() == [0]

    asyncio.run(scenario())

    assert sorted(there.sink.recipients) == everyone(50)


def test_a_relay_that_takes_nothing_is_left_alone_and_the_engine_keeps_the_job_for_later(there: Office) -> None:
    there.sink.script = saying(GREETING="554 not you")

    async def scenario() -> None:
        async with there.sink.serving():
            there.publish(5)
            await shared(there)
            await there.start()
            await there.until(lambda: any(wait > 0 for wait in there.waits()))
            assert await there.stop() == [0]

    asyncio.run(scenario())

    assert there.states() == {DeliveryState.QUEUED: 5}
    assert [status for status, _, _ in there.jobs()] == ["todo"]
    assert [20 < wait <= 30 for wait in there.waits()] == [True]
    assert "does not let us in" in there.said() or "does not answer" in there.said()


# ── polling ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_workers_poll_the_feeds_that_are_due_each_once(there: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FEEDS_A_JOB", 2)
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        title = f"<item><guid>{request.path}</guid><link>https://wire.example{request.path}</link><title>Rates rise</title></item>"
        return web.Response(body=f'<rss version="2.0"><channel>{title}</channel></rss>'.encode())

    async def scenario() -> list[str]:
        async with serving(answer) as server:
            there.read([f"http://127.0.0.1:{server.port}/{number}" for number in range(5)])
            desk = PostgresJobs(there.engine, utc_now)
            await desk.poll(there.config, there.engine, utc_now())
            await desk.poll(there.config, there.engine, utc_now())
            made = [name for _, name, _ in there.jobs()]
            work = module._Work(there.engine, utc_now, lambda: there.config, asyncio.Event())
            await asyncio.gather(work.poll(0), work.poll(1))
            await work.poll(2)
            await work.poll(2)
            return made

    made = asyncio.run(scenario())

    assert made == ["poll:0", "poll:1", "poll:2"]
    assert sorted(path for path in asked if path != "/robots.txt") == [f"/{number}" for number in range(5)]


def test_a_stopped_worker_breaks_polling_off(there: Office) -> None:
    asked = asyncio.Event()

    async def never(_request: web.Request) -> web.Response:
        asked.set()
        await asyncio.Event().wait()
        return web.Response()

    async def scenario() -> float:
        async with serving(never) as server:
            there.read([f"http://127.0.0.1:{server.port}/feed"])
            stop = asyncio.Event()
            work = module._Work(there.engine, utc_now, lambda: there.config, stop)
            job = asyncio.create_task(work.poll(0))
            await asyncio.wait_for(asked.wait(), 20)
            began = time.monotonic()
            stop.set()
            await job
            return time.monotonic() - began

    assert asyncio.run(scenario()) < STOP_SECONDS


def test_a_checkup_says_whether_anybody_works(there: Office) -> None:
    there.publish(1)
    share_out(there)
    found = {finding.subject: finding for finding in checkup.examine(there.config, utc_now(), call_relay=False)}
    there.execute("INSERT INTO procrastinate_workers DEFAULT VALUES")
    then = {finding.subject: finding for finding in checkup.examine(there.config, utc_now(), call_relay=False)}

    assert found["queue"].level is Level.FAULT
    assert found["queue"].sentence == "1 job for 0 workers. Nothing is sent or polled until `digest work` runs."
    assert (then["queue"].level, then["queue"].sentence) == (Level.OK, "1 job for 1 worker.")
