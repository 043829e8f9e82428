"""The whole way in, with a browser, a mail server and the service as it runs: sign up, the mail, its button, welcome."""

import asyncio
import email
import json
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import Engine

from digest.config import Config, Relay, SignUp
from digest.demo import servers
from digest.model import SubscriptionState
from digest.scheduler import answer_and_post
from digest.store import editions, subscribers
from digest.store import engine as engines
from digest.web import server, signup
from tests.conftest import NOW
from tests.web.conftest import configuration, edition

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or ""
ANN = "ann@reader.example"

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine")


@dataclass
class Mailbox:
    """An SMTP server's memory."""

    mails: list[EmailMessage] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        message = email.message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        assert [message["To"]] == envelope.rcpt_tos
        self.mails.append(message)
        return "250 2.0.0 kept"


class Browser:
    """A page of a headless browser, driven by the DevTools protocol. Every method waits until the page has loaded."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket, self._number = socket, 0

    async def open(self, url: str) -> None:
        await self._until_loaded("Page.navigate", url=url)

    async def press(self, value: str) -> None:
        await self._until_loaded(
            "Runtime.evaluate", expression=f"document.querySelector('button[value={value}]').click()"
        )

    async def type(self, name: str, text: str) -> None:
        await self.say("Runtime.evaluate", expression=f"document.querySelector('[name={name}]').focus()")
        await self.say("Input.insertText", text=text)

    async def read(self, expression: str) -> Any:
        return (await self.say("Runtime.evaluate", expression=expression, returnByValue=True))["result"].get("value")

    async def say(self, method: str, **parameters: Any) -> Any:
        return await self._say(method, parameters, None)

    async def _until_loaded(self, method: str, **parameters: Any) -> None:
        await self._say(method, parameters, "Page.loadEventFired")

    async def _say(self, method: str, parameters: dict[str, Any], awaited: str | None) -> Any:
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": parameters})
        answer = None
        async with asyncio.timeout(30):
            while answer is None or awaited:
                said = json.loads((await self._socket.receive()).data)
                if said.get("id") == self._number:
                    answer = said.get("result", said)
                if said.get("method") == awaited:
                    awaited = None
        return answer


@contextmanager
def chromium(profile: Path) -> Iterator[str]:
    """A browser; yields the address of its protocol."""
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"]
    command += [f"--user-data-dir={profile}", "--no-first-run", "about:blank"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            line = next(line for line in process.stderr if "DevTools listening on" in line)
            yield f"http://{line.split('ws://')[1].split('/')[0]}"
        finally:
            process.terminate()


@contextmanager
def serving(config: Config, engine: Engine) -> Iterator[None]:
    running = server.build(lambda: config, engine, lambda: datetime.now(UTC))
    with socket.create_server((servers.LOOPBACK, config.web.port)) as listener:
        thread = threading.Thread(target=running.run, args=([listener],))
        thread.start()
        yield
        running.should_exit = True
        thread.join()


async def tab(session: aiohttp.ClientSession, protocol: str) -> Browser:
    async with session.put(f"{protocol}/json/new?about:blank") as answer:
        found = json.loads(await answer.text())
    browser = Browser(await session.ws_connect(found["webSocketDebuggerUrl"], max_msg_size=0))
    await browser.say("Page.enable")
    return browser


@pytest.mark.parametrize("proof_of_work", [False, True])
def test_sign_up_mail_confirm_welcome(
    tmp_path: Path, sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch, proof_of_work: bool
) -> None:
    monkeypatch.setattr(signup, "FASTEST", signup.FASTEST * 0)
    mailbox = Mailbox()
    with engines.write(sqlite_engine) as connection:
        editions.insert(connection, edition(NOW.date()))

    async def walk(config: Config, protocol: str) -> list[str]:
        async with aiohttp.ClientSession() as session:
            browser = await tab(session, protocol)
            if not proof_of_work:
                await browser.say("Emulation.setScriptExecutionDisabled", value=True)
            await browser.open(config.site.base_url)
            await browser.type("email", ANN)
            await browser.press("sign-up")
            seen = [await browser.read("document.querySelector('h1').textContent")]
            assert (await answer_and_post(config, sqlite_engine, lambda: datetime.now(UTC))).sent == 1
            part = mailbox.mails[-1].get_body(("plain",))
            assert part is not None
            [link] = re.findall(rf"{config.site.base_url}/confirm/\S+", part.get_content())
            await browser.open(link)
            seen.append(await browser.read("document.querySelector('h1').textContent"))
            await browser.press("confirm")
            seen.append(await browser.read("document.querySelector('h1').textContent"))
            assert (await answer_and_post(config, sqlite_engine, lambda: datetime.now(UTC))).sent == 1
            return seen

    with servers.smtp_server(mailbox) as relay, chromium(tmp_path / "profile") as protocol:
        port = servers.free_port()
        base = configuration(tmp_path)
        config = replace(
            base,
            site=replace(base.site, base_url=f"http://{servers.LOOPBACK}:{port}"),
            web=replace(base.web, port=port),
            relay=Relay(servers.LOOPBACK, relay),
            sign_up=SignUp(proof_of_work=proof_of_work),
        )
        with serving(config, sqlite_engine):
            seen = asyncio.run(walk(config, protocol))

    assert seen == ["Check your mail", "Confirm your subscription", "Welcome to The Economic Digest"]
    assert [mail["Subject"] for mail in mailbox.mails] == [
        "Please confirm your subscription to The Economic Digest",
        "Welcome to The Economic Digest",
    ]
    assert mailbox.mails[1]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    with engines.read(sqlite_engine) as connection:
        [found] = subscribers.by_address(connection, ANN)
    assert found.state is SubscriptionState.ACTIVE
