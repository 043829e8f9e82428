"""Every mail in a browser: what is written in it can be read on light screens and dark ones, and nothing is wider than the screen."""

import html
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from digest.editions.render import Renderer
from digest.look import DARK, LIGHT
from tests.editions import samples
from tests.editions.samples import LINKS, SITE
from tests.editions.test_letters import every_letter
from tests.editions.test_render import filled

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or ""

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine")

# Of each framed mail: every text with its colour, the colour behind it and its size; and how wide the document is.
PROBE = """<!DOCTYPE html><meta name="color-scheme" content="light dark"><body>{frames}<pre id="probe"></pre><script>
function behind(win, node) {{
  for (; node; node = node.parentElement) {{
    const colour = win.getComputedStyle(node).backgroundColor;
    if (!/, 0\\)$/.test(colour)) return colour;
  }}
  return "rgb(255, 255, 255)";
}}
function probe(frame) {{
  const win = frame.contentWindow, texts = [];
  const walker = win.document.createTreeWalker(win.document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {{
    const text = walker.currentNode, node = text.parentElement;
    if (!text.data.trim() || !node.getClientRects().length) continue;
    const style = win.getComputedStyle(node);
    texts.push([text.data.trim().slice(0, 40), style.color, behind(win, node), parseFloat(style.fontSize)]);
  }}
  return {{texts, wide: win.document.documentElement.scrollWidth}};
}}
window.onload = () => {{
  const found = Object.fromEntries([...document.querySelectorAll("iframe")].map(frame => [frame.title, probe(frame)]));
  document.getElementById("probe").textContent = JSON.stringify(found);
}};
</script>"""
FRAME = '<iframe title="{}" style="width:375px;height:800px;border:0" srcdoc="{}"></iframe>'


def mails(locale: str) -> dict[str, str]:
    """Every kind of mail; the edition has a headline and a summary of a single long word."""
    renderer = Renderer(replace(SITE, locale=locale), LINKS)
    whole = samples.whole_edition()
    long = replace(whole.items[0], title="Un" * 90 + "breakable", summary="x" * 400, picture=None)
    whole = replace(whole, items=(*whole.items[:3], replace(long, place=4), *whole.items[4:]))
    found = {"edition": renderer.edition_mail(whole), **every_letter(renderer)}
    found["week"] = renderer.edition_mail(samples.week_edition())
    return {f"{kind} in {locale}": filled(mail.html) for kind, mail in found.items()}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    """What a browser makes of all mails on a light or on a dark screen, in frames as narrow as a phone."""
    every = mails("en") | mails("ar")

    @cache
    def look(screen: str) -> Any:
        folder = tmp_path_factory.mktemp("chromium")
        frames = "".join(FRAME.format(name, html.escape(markup)) for name, markup in every.items())
        (folder / "mails.html").write_text(PROBE.format(frames=frames), encoding="utf-8")
        command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"]
        command += [f"--blink-settings=preferredColorScheme={0 if screen == 'dark' else 1}"]
        dumped = subprocess.run(
            [*command, "--dump-dom", f"file://{folder / 'mails.html'}"], capture_output=True, timeout=120, check=True
        )
        [probe] = re.findall(r'<pre id="probe">(.*?)</pre>', dumped.stdout.decode(), re.DOTALL)
        return json.loads(html.unescape(probe))

    return look


def luminance(colour: str) -> float:
    channels = [int(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def ratio(front: str, back: str) -> float:
    high, low = sorted((luminance(front), luminance(back)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def rgb(colour: str) -> str:
    return "rgb({}, {}, {})".format(*(int(colour[at : at + 2], 16) for at in (1, 3, 5)))


@pytest.mark.parametrize("screen", ["light", "dark"])
def test_every_text_of_every_mail_can_be_read(seen: Callable[[str], Any], screen: str) -> None:
    palette = DARK if screen == "dark" else LIGHT
    ours = {rgb(getattr(palette, token)) for token in palette.__slots__}

    found = seen(screen)

    assert len(found) == 24
    for mail in found.values():
        assert len(mail["texts"]) > 5
        assert {colour for _, front, back, _ in mail["texts"] for colour in (front, back)} <= ours
        assert [text for text, front, back, _ in mail["texts"] if ratio(front, back) < 4.5] == []
        assert [text for text, *_, size in mail["texts"] if size < 14] == []


def test_no_mail_is_wider_than_a_phone(seen: Callable[[str], Any]) -> None:
    assert {name: mail["wide"] for name, mail in seen("light").items() if mail["wide"] > 375} == {}
