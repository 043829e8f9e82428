"""Colours of the operator's own, and whether what is written in them can be read."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest import home as homefolder
from digest.errors import ConfigError
from digest.look import DARK, LIGHT, ON, Palette, contrast, unreadable

COLOURS = st.integers(0, 0xFFFFFF).map("#{:06x}".format)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_everything_is_readable_in_our_own_colours(palette: Palette) -> None:
    assert min(contrast(getattr(palette, front), getattr(palette, back)) for front, back in ON) >= 4.5
    assert unreadable(palette) == {}


@pytest.mark.parametrize(
    ("front", "back", "ratio"),
    # Known pairs: the ends of the scale, and greys about the thresholds of levels AA and AAA.
    [
        ("#000000", "#ffffff", 21.0),
        ("#777777", "#ffffff", 4.48),
        ("#767676", "#ffffff", 4.54),
        ("#595959", "#ffffff", 7.0),
    ],
)
def test_contrast_is_that_of_the_accessibility_guidelines(front: str, back: str, ratio: float) -> None:
    assert contrast(front, back) == pytest.approx(ratio, abs=0.01)


@given(COLOURS, COLOURS)
def test_contrast_does_not_depend_on_which_is_in_front(one: str, other: str) -> None:
    assert contrast(one, other) == contrast(other, one)
    assert 1 <= contrast(one, other) <= 21.001


# ── in digest.toml ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "topics.toml").write_text('[[topic]]\nslug = "a"\ntitle = "A"\nterms = ["rates"]\n')
    (tmp_path / "feeds.toml").write_text('[[feed]]\nurl = "https://wire.example/"\npublisher = "Wire"\n')
    configure(tmp_path, "")
    return tmp_path


def configure(home: Path, look: str) -> None:
    (home / "digest.toml").write_text(
        f'[[digest]]\nslug = "economy"\ntitle = "Economy"\n[site]\npostal_address = "1 Example Street"\n{look}'
    )


def faults(home: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        homefolder.load(home, {})
    return [str(fault).removeprefix(f"{home}/") for fault in caught.value.faults]


def test_a_home_without_a_look_has_ours(home: Path) -> None:
    look = homefolder.load(home, {}).look

    assert (look.light, look.dark, dict(look.templates)) == (LIGHT, DARK, {})


def test_single_colours_are_replaced_and_the_others_stay(home: Path) -> None:
    configure(home, '[look.light]\ntopic = "#00553A"\n[look.dark]\nlink = "#ffd27f"\n')

    look = homefolder.load(home, {}).look

    assert (look.light.topic, look.light.text) == ("#00553a", LIGHT.text)
    assert (look.dark.link, look.dark.topic) == ("#ffd27f", DARK.topic)


def test_what_is_no_colour_or_no_token_is_refused_with_its_line(home: Path) -> None:
    configure(home, '[look.light]\ntopic = "green"\nlinks = "#0b57a4"\n')

    found = faults(home)

    assert 'digest.toml:7: [look.light] topic: is "green"; it should be a colour such as "#8a3a12"' in found
    assert any(fault.startswith("digest.toml:8: [look.light] links") for fault in found)


def test_colours_that_cannot_be_read_are_refused_with_their_line_and_contrast(home: Path) -> None:
    configure(home, '[look.dark]\nsheet = "#1e2124"\nmeta = "#555555"\n')

    (fault,) = faults(home)

    assert fault == (
        "digest.toml:8: [look.dark] meta: #555555 on sheet #1e2124 has a contrast of 2.2:1; "
        "it should be 4.5:1 or more to be readable"
    )


def test_every_token_and_its_colours_stand_in_the_documentation() -> None:
    document = (Path(__file__).resolve().parents[1] / "docs" / "look.md").read_text(encoding="utf-8")

    for token in Palette.__slots__:
        row = next(
            line for line in document.splitlines() if line.startswith("| `") and f"`{token}`" in line.split("|")[1]
        )
        assert f"`{getattr(LIGHT, token)}`" in row
        assert f"`{getattr(DARK, token)}`" in row
