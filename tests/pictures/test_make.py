"""Whatever a publisher sends, what comes out is a small JPEG of our own, or a reason."""

import io
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from digest.pictures.make import Unfit, make
from tests.pictures import gallery
from tests.pictures.gallery import at, is_bluish, is_reddish, jpeg, opened, scene, written

MOST = 80 * 1024
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def made(body: bytes, most: int = MOST) -> Image.Image:
    found = make(body, most)
    picture = opened(found.body)
    assert picture.format == "JPEG"
    assert picture.mode == "RGB"
    assert picture.size == (found.width, found.height)
    assert len(found.body) <= most
    return picture


def why_not(body: bytes, most: int = MOST) -> str:
    with pytest.raises(Unfit) as caught:
        make(body, most)
    return str(caught.value)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_picture_of_any_of_the_four_kinds_becomes_a_progressive_jpeg_as_wide_as_the_column(kind: str) -> None:
    picture = made(written(scene(), kind))

    assert picture.size == (552, 310)
    assert picture.info.get("progressive")
    assert is_reddish(at(picture, 0.1, 0.1))
    assert is_bluish(at(picture, 0.9, 0.9))


def test_the_same_picture_becomes_the_same_bytes() -> None:
    assert make(jpeg(), MOST) == make(jpeg(), MOST)


def test_nothing_but_the_picture_is_kept_of_a_file() -> None:
    exif = Image.Exif()
    exif[0x8298] = "Somebody's name"
    body = jpeg(exif=exif, comment=b"taken at home", icc_profile=SRGB)

    picture = made(body)

    assert not {"exif", "comment", "icc_profile", "dpi", "xmp"} & set(picture.info)
    assert b"Somebody" not in make(body, MOST).body


@pytest.mark.parametrize(("orientation", "turned"), [(3, 180), (6, 90), (8, 270)])
def test_a_picture_that_was_taken_sideways_stands_upright(orientation: int, turned: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    body = written(scene().rotate(turned, expand=True), exif=exif)

    picture = made(body)

    assert picture.size == (552, 310)
    assert is_reddish(at(picture, 0.1, 0.1))
    assert is_bluish(at(picture, 0.9, 0.9))


def test_printers_colours_become_those_of_screens() -> None:
    picture = made(written(scene().convert("CMYK")))

    assert is_reddish(at(picture, 0.1, 0.1))
    assert is_bluish(at(picture, 0.9, 0.9))


def test_a_colour_profile_is_applied() -> None:
    """In a space whose red and blue have changed places, what is written as red is blue."""
    exchanged = SRGB.replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ").replace(b"????", b"bXYZ")

    picture = made(jpeg(icc_profile=exchanged))

    assert is_bluish(at(picture, 0.1, 0.1))
    assert is_reddish(at(picture, 0.9, 0.9))


@pytest.mark.parametrize(
    "profile", [b"no profile at all", SRGB[:200], ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()]
)
def test_a_profile_that_cannot_be_applied_is_passed_over(profile: bytes) -> None:
    assert is_reddish(at(made(jpeg(icc_profile=profile)), 0.1, 0.1))


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_is_transparent_becomes_white(mode: str) -> None:
    picture = scene()
    picture.putalpha(Image.linear_gradient("L").resize(picture.size).point(lambda value: 255 if value > 127 else 0))

    shown = made(written(picture.convert(mode), "PNG"))

    assert min(at(shown, 0.5, 0.05)) > 240


def test_a_palette_with_a_transparent_colour_becomes_an_ordinary_picture() -> None:
    picture = scene().quantize(32)
    index = picture.getpixel((5, 5))

    shown = made(written(picture, "GIF", transparency=index))

    assert min(at(shown, 0.02, 0.02)) > 240
    assert is_bluish(at(shown, 0.9, 0.9))


def test_of_a_moving_picture_the_first_frame_is_shown() -> None:
    frames = [scene(seed=number) for number in (1, 2, 3)]
    still, moving = (
        made(written(frames[0], "WEBP", lossless=True)),
        made(written(frames[0], "WEBP", lossless=True, save_all=True, append_images=frames[1:])),
    )

    assert moving.tobytes() == still.tobytes()


def test_grey_of_sixteen_bits_keeps_its_tones() -> None:
    grey = scene().convert("L")
    deep = Image.frombytes("I;16", grey.size, b"".join(bytes((0, value)) for value in grey.tobytes()))

    shown = made(written(deep, "PNG"))

    assert abs(at(shown, 0.1, 0.1)[0] - at(made(written(grey, "PNG")), 0.1, 0.1)[0]) <= 4


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        ((1200, 800), (552, 368)),
        ((1200, 900), (552, 310)),
        ((900, 1200), (552, 310)),
        ((400, 300), (400, 225)),
        ((2000, 700), (552, 193)),
        ((300, 200), (300, 200)),
    ],
)
def test_what_is_taller_than_a_photograph_is_cut_and_nothing_is_enlarged(
    size: tuple[int, int], shown: tuple[int, int]
) -> None:
    assert made(jpeg(size)).size == shown


def test_a_tall_picture_is_cut_more_below_than_above() -> None:
    picture = Image.linear_gradient("L").resize((800, 800)).convert("RGB")

    shown = made(written(picture))

    top, bottom = at(shown, 0.5, 0.01)[0], 255 - at(shown, 0.5, 0.99)[0]
    assert 25 < top < bottom


def test_quality_gives_way_until_a_picture_fits() -> None:
    assert len(make(jpeg(), MOST).body) > len(make(jpeg(), 12 * 1024).body)
    assert why_not(written(gallery.grainy(), quality=95), 12 * 1024) == "does not fit into 12 kB"


HOSTILE = {
    "SVG": (b'<svg xmlns="http://www.w3.org/2000/svg" width="800" height="450"><script/></svg>', "is not a JPEG"),
    "HTML": (b"<!DOCTYPE html><title>Not found</title>", "is not a JPEG"),
    "nothing": (b"", "is not a JPEG"),
    "a kind that we do not read": (written(scene(), "BMP"), "is not a JPEG"),
    "another such": (written(scene(), "TIFF"), "is not a JPEG"),
    "broken off": (jpeg()[:20_000], "cannot be read"),
    "a GIF broken off": (written(scene(), "GIF")[:9_000], "cannot be read"),
    "a huge header": (gallery.png_of(20_000, 20_000), "has more than"),
    "a large header": (gallery.png_of(10_000, 9_999), "has more than"),
    "a size of its own": (gallery.png_of(1200, 675), "cannot be read"),
    "a tracking pixel": (written(Image.new("RGB", (1, 1)), "GIF"), "is only 1 pixels wide"),
    "a thumbnail": (jpeg((240, 135)), "is only 240 pixels wide"),
    "a banner": (jpeg((728, 90)), "banner"),
    "a column": (jpeg((400, 900)), "banner"),
    "one colour": (written(Image.new("RGB", (800, 450), (90, 90, 90))), "is nearly one colour"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_photograph_is_refused_with_the_reason(name: str) -> None:
    body, reason = HOSTILE[name]

    assert reason in why_not(body)


def test_a_logo_on_a_plain_ground_is_no_photograph() -> None:
    logo = Image.new("RGB", (1200, 630), (255, 255, 255))
    logo.paste(scene((500, 200)), (350, 215))

    assert why_not(written(logo, "PNG")) == "is for the most part one colour, as logos, charts and placeholders are"


def test_a_sideways_banner_is_one_too() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert "is only 250 pixels wide" in why_not(written(scene((900, 250)), exif=exif))


WHOLE = {"JPEG": jpeg((320, 180)), "PNG": written(scene((320, 180)), "PNG"), "GIF": written(scene((320, 180)), "GIF")}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(WHOLE)), st.data())
def test_a_picture_with_any_damage_is_made_or_refused_and_nothing_else(kind: str, data: st.DataObject) -> None:
    body = bytearray(WHOLE[kind])
    for _ in range(data.draw(st.integers(1, 8))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(body)))
    with suppress(Unfit):
        found = make(bytes(body[:cut] if data.draw(st.booleans()) else body), MOST)
        with Image.open(io.BytesIO(found.body)) as picture:
            assert picture.size == (found.width, found.height)
