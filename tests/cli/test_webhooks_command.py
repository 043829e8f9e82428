"""`webhooks` says how other programs take what they are told, and calls one to see."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.shell import Run
from tests.receiver import SECRET, Receiver, receiving

ENVIRONMENT = {"DIGEST_WEBHOOK_SECRET_CRM": SECRET}


@pytest.fixture
def receiver(run: Run, tmp_path: Path) -> Iterator[Receiver]:
    """A receiver that the home's digest.toml names."""
    assert run("init").returncode == 0
    with receiving(Receiver()) as one, (tmp_path / "digest.toml").open("a") as settings:
        settings.write(f'\n[[webhook]]\nname = "crm"\nurl = "{one.url}"\nallow_private = true\n')
        settings.flush()
        yield one


def test_a_test_tells_whether_the_receiver_takes_it(run: Run, receiver: Receiver) -> None:
    receiver.statuses = [204, 500]
    taken, refused = (run("webhooks", "test", "crm", **ENVIRONMENT) for _ in range(2))

    assert (taken.returncode, taken.stdout) == (0, "crm took it: the receiver answered 204.\n")
    assert (refused.returncode, refused.stderr) == (1, "crm did not take it: the receiver answered 500.\n")
    assert receiver.words == ["test", "test"]
    assert run("webhooks", "test", "other", **ENVIRONMENT).returncode == 2


def test_the_list_and_the_check_say_how_it_stands(run: Run, receiver: Receiver) -> None:
    (listed,) = json.loads(run("webhooks", "list", "--json", **ENVIRONMENT).stdout)["webhooks"]

    assert (listed["name"], listed["standing"]["waiting"]) == ("crm", 0)
    assert "crm" in run("webhooks", "list", **ENVIRONMENT).stdout
    assert "webhook crm: 0 told, 0 waiting." in run("check", "--no-network", **ENVIRONMENT).stdout
    assert run("webhooks", "retry", "crm", **ENVIRONMENT).stdout.startswith("0 calls to crm")


def test_without_a_webhook_it_is_said_how_to_have_one(run: Run) -> None:
    assert run("init").returncode == 0

    assert "[[webhook]] in digest.toml" in run("webhooks", "list").stdout
