"""Every kind of page, on a phone and a wide screen, light and dark, without a fault that axe-core calls serious or critical."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest
from sqlalchemy import Engine

from digest.config import Config
from digest.links import Links, Purpose
from digest.model import Correction
from digest.store import corrections, editions, subscribers
from digest.store import engine as engines
from digest.subscribers import signup
from digest.subscribers.consent import subscribe
from tests.conftest import NOW
from tests.web.browser import CHROMIUM, Browser, browser
from tests.web.conftest import edition
from tests.web.live import Mailbox, serving

ANN, NEW = "ann@reader.example", "new@reader.example"
AXE = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
GRAVE = {"serious", "critical"}

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine")


def addresses(config: Config, engine: Engine) -> Iterator[tuple[str, str]]:
    """Pages that a link leads to, by what they are."""
    links = Links(config.site.base_url, config.keys)
    ann = subscribe(config, engine, ANN, config.digests[0], (), NOW, how="test").subscription
    yield "home", links.home()
    yield "archive", links.archive("economy")
    yield "month", links.month("economy", NOW.date())
    yield "edition", links.edition("economy", NOW.date())
    yield "topics", links.topics()
    yield "topic", links.topic("trade")
    yield "story", links.story("s1")
    yield "search", links.search("q=headline&topic=trade")
    yield "how", links.how()
    yield "my link", f"{links.home()}my-link"
    yield "not found", f"{links.home()}nothing-here"
    yield "preferences", links.signed(Purpose.PREFERENCES, ann.id, ann.version)
    yield "unsubscribe", links.signed(Purpose.UNSUBSCRIBE, ann.id, ann.version)


async def faults(page: Browser, name: str) -> list[str]:
    """What axe finds grave in the page as it stands, in each look."""
    found = []
    await page.run(AXE)
    for width in (375, 1280):
        for scheme in ("light", "dark"):
            await page.screen(width, scheme)
            said = json.loads(await page.run("axe.run().then(found => JSON.stringify(found))"))
            assert "color-contrast" in {one["id"] for one in (*said["passes"], *said["violations"])}, "axe saw nothing"
            for one in said["violations"]:
                places = ", ".join(node["html"][:120] for node in one["nodes"][:3])
                line = f"{name}, {width} px, {scheme}: {one['impact']}: {one['id']}: {places}"
                print(line)  # noqa: T201  # also what is not grave deserves a look
                found += [line] if one["impact"] in GRAVE else []
    return found


async def walk(config: Config, engine: Engine, page: Browser) -> list[str]:
    await page.without_policy()
    found = []
    for name, address in addresses(config, engine):
        await page.open(address)
        found += await faults(page, name)
    for button, name in (("leave", "unsubscribed"), ("undo", "welcome back")):
        await page.press(button)
        found += await faults(page, name)
    await page.follow("Your data")
    found += await faults(page, "your data")

    await page.open(config.site.base_url)
    await page.write("email", NEW)
    await page.press("sign-up")
    assert await page.heading() == "Check your mail"
    found += await faults(page, "check your mail")
    signup.answer(config, engine, NOW)
    with engines.read(engine) as connection:
        new = subscribers.by_address(connection, NEW)[0]
    await page.open(Links(config.site.base_url, config.keys).signed(Purpose.CONFIRM, new.id, new.version))
    found += await faults(page, "confirm")
    await page.press("confirm")
    return found + await faults(page, "welcome")


def test_no_page_has_a_grave_fault(tmp_path: Path, sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("digest.web.signup.FASTEST", NOW - NOW)
    made = edition(NOW.date())
    with engines.write(sqlite_engine) as connection:
        foreign = replace(made.items[1], language="de", title="Zölle fallen")
        stored = editions.insert(connection, replace(made, items=(made.items[0], foreign, *made.items[2:])))
        assert stored is not None
        corrections.add(connection, Correction(stored.id, "s1", "It was a fee.", "An editor", NOW))

    async def walked(config: Config) -> list[str]:
        async with browser(tmp_path / "profile") as page:
            return await walk(config, sqlite_engine, page)

    with serving(tmp_path, sqlite_engine, Mailbox(), lambda: NOW) as config:
        assert asyncio.run(walked(config)) == []
