"""The whole way in, with a browser, a mail server and the service as it runs: sign up, the mail, its button, welcome."""

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from digest.config import Config, SignUp
from digest.model import SubscriptionState
from digest.scheduler import answer_and_post
from digest.store import editions, subscribers
from digest.store import engine as engines
from digest.web import signup
from tests.conftest import NOW
from tests.web.browser import CHROMIUM, browser
from tests.web.conftest import edition
from tests.web.live import Mailbox, serving

ANN = "ann@reader.example"

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine")


def clock() -> datetime:
    return datetime.now(UTC)


@pytest.mark.parametrize("proof_of_work", [False, True])
def test_sign_up_mail_confirm_welcome(
    tmp_path: Path, sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch, proof_of_work: bool
) -> None:
    """Nothing but the proof of work needs a script."""
    monkeypatch.setattr(signup, "FASTEST", signup.FASTEST * 0)
    box = Mailbox()
    with engines.write(sqlite_engine) as connection:
        editions.insert(connection, edition(NOW.date()))

    async def walk(config: Config) -> list[str]:
        async with browser(tmp_path / "profile") as page:
            if not proof_of_work:
                await page.without_scripts()
            await page.open(config.site.base_url)
            await page.write("email", ANN)
            await page.press("sign-up")
            seen = [await page.heading()]
            assert (await answer_and_post(config, sqlite_engine, clock)).sent == 1
            part = box.last(ANN).get_body(("plain",))
            assert part is not None
            [link] = re.findall(rf"{config.site.base_url}/confirm/\S+", part.get_content())
            await page.open(link)
            seen.append(await page.heading())
            await page.press("confirm")
            seen.append(await page.heading())
            assert (await answer_and_post(config, sqlite_engine, clock)).sent == 1
            return seen

    with serving(tmp_path, sqlite_engine, box, clock, SignUp(proof_of_work=proof_of_work)) as config:
        seen = asyncio.run(walk(config))

    assert seen == ["Check your mail", "Confirm your subscription", "Welcome to The Economic Digest"]
    assert [mail["Subject"] for mail in box.mails] == [
        "Please confirm your subscription to The Economic Digest",
        "Welcome to The Economic Digest",
    ]
    assert box.mails[1]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    with engines.read(sqlite_engine) as connection:
        [found] = subscribers.by_address(connection, ANN)
    assert found.state is SubscriptionState.ACTIVE
