"""Debian's Chromium without a window, told over the DevTools protocol what a reader would do."""

import asyncio
import base64
import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or ""
SECONDS = 60


class Browser:
    """One page. What leads to another page returns once that has loaded."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket, self._number = socket, 0

    async def open(self, url: str) -> None:
        await self._say("Page.navigate", {"url": url}, until="Page.loadEventFired")

    async def press(self, value: str) -> None:
        await self._do(f"document.querySelector('button[value={value}]').click()")

    async def follow(self, text: str) -> None:
        await self._do(f"[...document.links].find(link => link.textContent.includes({json.dumps(text)})).click()")

    async def tick(self, name: str, value: str) -> None:
        await self.read(f"document.querySelector('input[name={name}][value={value}]').click()")

    async def write(self, name: str, text: str) -> None:
        """Enter text into a field as by keys, which needs no scripts."""
        await self._say("Runtime.evaluate", {"expression": f"document.querySelector('[name={name}]').focus()"})
        await self._say("Input.insertText", {"text": text})

    async def without_scripts(self) -> None:
        await self._say("Emulation.setScriptExecutionDisabled", {"value": True})

    async def heading(self) -> str:
        return str(await self.read("document.querySelector('h1').textContent"))

    async def words(self) -> str:
        return " ".join(str(await self.read("document.querySelector('main').innerText")).split())

    async def read(self, expression: str) -> Any:
        found = await self._say("Runtime.evaluate", {"expression": expression, "returnByValue": True})
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    async def run(self, script: str) -> Any:
        """What a script of ours comes to, waited for where it takes time."""
        asked = {"expression": script, "returnByValue": True, "awaitPromise": True}
        found = await self._say("Runtime.evaluate", asked)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    async def without_policy(self) -> None:
        """Let scripts of ours run in pages that forbid scripts."""
        await self._say("Page.setBypassCSP", {"enabled": True})

    async def screen(self, width: int, scheme: str) -> None:
        """Look as on a screen of that width, light or dark."""
        await self._say(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False},
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        await self._say("Emulation.setEmulatedMedia", {"features": features})

    async def picture(self) -> bytes:
        """The whole page, as PNG."""
        shot = await self._say("Page.captureScreenshot", {"captureBeyondViewport": True})
        return base64.b64decode(shot["data"])

    async def begin(self) -> None:
        await self._say("Page.enable", {})

    async def _do(self, expression: str) -> None:
        await self._say("Runtime.evaluate", {"expression": expression}, until="Page.loadEventFired")

    async def _say(self, method: str, parameters: dict[str, Any], *, until: str = "") -> Any:
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": parameters})
        answer = None
        async with asyncio.timeout(SECONDS):
            while answer is None or until:
                said = await self._socket.receive_json()
                if said.get("id") == self._number:
                    answer = said.get("result", said)
                if said.get("method") == until:
                    until = ""
        return answer


@asynccontextmanager
async def browser(profile: Path) -> AsyncIterator[Browser]:
    """A browser with one page, ended with the block."""
    with _chromium(profile) as address:
        async with aiohttp.ClientSession() as session:
            async with session.put(f"{address}/json/new?about:blank") as answer:
                page = (await answer.json(content_type=None))["webSocketDebuggerUrl"]
            async with session.ws_connect(page, max_msg_size=0) as socket:
                found = Browser(socket)
                await found.begin()
                yield found


@contextmanager
def _chromium(profile: Path) -> Iterator[str]:
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"]
    command += [f"--user-data-dir={profile}", "--no-first-run", "about:blank"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            line = next(line for line in process.stderr if "DevTools listening on" in line)
            yield f"http://{line.split('ws://')[1].split('/')[0]}"
        finally:
            process.terminate()
