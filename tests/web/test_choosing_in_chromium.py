"""A reader's whole way with a browser and a mail server: choose, be mailed what was chosen, leave, come back, be erased."""

import asyncio
import re
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import Engine

from digest.config import Config
from digest.delivery.deliver import deliver
from digest.delivery.orders import post_orders
from digest.links import Links, Purpose
from digest.store import deliveries, editions
from digest.store import engine as engines
from digest.subscribers.consent import subscribe
from tests.conftest import NOW
from tests.web.browser import CHROMIUM, Browser, browser
from tests.web.conftest import edition
from tests.web.live import Mailbox, serving

ANN, BOB = "ann@reader.example", "bob@reader.example"

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine")


def link(mail: EmailMessage, purpose: Purpose) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(re.findall(rf"https?://\S+/{purpose}/\S+", body.get_content())[0])


async def fits(page: Browser) -> None:
    """No page is wider than a phone, light or dark, or moves sideways on a wide screen."""
    for width in (375, 1280):
        for scheme in ("dark", "light"):
            await page.screen(width, scheme)
            assert await page.read("document.documentElement.scrollWidth") <= width


async def whole_way(config: Config, engine: Engine, box: Mailbox, page: Browser) -> None:
    ann, _ = (subscribe(config, engine, one, config.digests[0], (), NOW, how="test").subscription for one in (ANN, BOB))
    links = Links(config.site.base_url, config.keys)

    await page.open(links.signed(Purpose.PREFERENCES, ann.id, ann.version))
    await fits(page)
    await page.read("document.querySelector('summary').click()")
    await page.tick("mute", "growth")
    await page.tick("text_only", "yes")
    await page.press("save")
    assert "Left out from now on, wherever they stand: Growth." in await page.words()

    with engines.write(engine) as connection:
        made = edition(NOW.date())
        items = tuple(
            replace(item, title=f"Story {item.place}", section=("growth", "trade")[item.place % 2])
            for item in made.items
        )
        stored = editions.insert(connection, replace(made, items=items))
        assert stored is not None
        deliveries.freeze(connection, stored, NOW)
    await deliver(config, engine, lambda: NOW)
    mine, other = box.last(ANN), box.last(BOB)
    assert (mine.get_content_type(), other.get_content_type()) == ("text/plain", "multipart/alternative")
    told = [set(re.findall(r"Story \d", str(mail.get_body(("plain",))))) for mail in (mine, other)]
    assert told == [{"Story 1", "Story 3", "Story 5"}, {f"Story {place}" for place in range(1, 6)}]

    await page.open(link(mine, Purpose.UNSUBSCRIBE))
    await fits(page)
    await page.press("leave")
    assert await page.heading() == "You are unsubscribed"
    await fits(page)
    await page.press("undo")
    assert "Welcome back" in await page.words()

    await page.follow("Your data")
    await fits(page)
    await page.press("data")
    assert "on its way" in await page.words()
    assert (await post_orders(config, engine, lambda: NOW)).sent == 1
    await page.open(link(box.last(ANN), Purpose.DATA))
    await fits(page)
    await page.press("erase")
    assert await page.heading() == "Your data is erased"
    await fits(page)


def test_choose_be_mailed_the_choice_leave_come_back_and_be_erased(sqlite_engine: Engine, tmp_path: Path) -> None:
    box = Mailbox()

    async def walk(config: Config) -> None:
        async with browser(tmp_path / "profile") as page:
            await whole_way(config, sqlite_engine, box, page)

    with serving(tmp_path, sqlite_engine, box, lambda: NOW) as config:
        asyncio.run(walk(config))

    database = Path(str(sqlite_engine.url.database))
    files = [one.read_bytes() for one in database.parent.glob(f"{database.name}*")]
    assert not any(ANN.encode() in content for content in files)
    assert any(BOB.encode() in content for content in files)
    with engines.read(sqlite_engine) as connection:
        assert all(audited.balanced for audited in deliveries.audit(connection))
