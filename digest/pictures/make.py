"""A picture as a publisher sends it, as one that can stand in a mail: the one home of Pillow. Pure.

Runs in a child process (`workshop.py`), since decoders of pictures are where hostile bytes do most harm.
"""

from io import BytesIO

from PIL import Image, ImageCms, ImageOps, ImageStat, UnidentifiedImageError

from digest.pictures.outcomes import LEAST_WIDTH, WIDTH, Made

MOST_PIXELS = 40_000_000
TALLEST = 2 / 3
"""Height by width, as cameras have it. What is taller would push the words off a small screen, and is cut to `CUT`."""
CUT = 9 / 16
NARROWEST, WIDEST = 1 / 2, 3.0
"""Width by height: beyond them are columns, banners and the wide names of publishers."""
BEST, WORST, STEP = 84, 44, 8
"""JPEG qualities: the best that fits is taken."""
ONE_COLOUR = 0.6
"""The share of a picture in one colour from which it is a logo, a chart or a placeholder."""

_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
_HIGH_UP = 1 / 3
_SAMPLE = (96, 54)
_COLOUR_BITS, _LEAST_CONTRAST = 5, 4
_GROUND = (255, 255, 255)
_TURNED = (5, 6, 7, 8)
_ORIENTATION = 0x0112


class Unfit(ValueError):
    """It is no picture for readers; says why in words that follow "the picture"."""


def make(body: bytes, most_bytes: int) -> Made:
    """The picture in these bytes, whatever they are said to be, at most `WIDTH` wide; of a moving one the first frame.

    Raises:
        Unfit: it cannot be read, is too small or too large, is no photograph by its shape or its colours, or does not
            fit into `most_bytes`.
    """
    try:
        return _fitted(_prepared(body), most_bytes)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Unfit(f"has more than {MOST_PIXELS:,} pixels") from error
    except (Unfit, MemoryError):
        raise
    except UnidentifiedImageError as error:
        raise Unfit("is not a JPEG, PNG, WebP or GIF") from error
    # Decoders raise whatever comes to hand over broken bytes.
    except Exception as error:
        raise Unfit(f"cannot be read: {error}") from error


def _prepared(body: bytes) -> Image.Image:
    """The picture upright, cut, small, and in sRGB."""
    with Image.open(BytesIO(body), formats=_FORMATS) as opened:
        _check_size(opened)
        profile = opened.info.get("icc_profile")
        opened.draft(None, (2 * WIDTH, 2 * WIDTH))
        upright = ImageOps.exif_transpose(opened)
    flat = _flat(upright)
    box = _box(*flat.size)
    width = min(WIDTH, round(box[2] - box[0]))
    height = max(1, round(width * (box[3] - box[1]) / (box[2] - box[0])))
    small = flat.resize((width, height), Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)
    return _in_srgb(small, profile)


def _check_size(opened: Image.Image) -> None:
    """What the header says, before a single pixel is read."""
    width, height = opened.size
    if opened.getexif().get(_ORIENTATION) in _TURNED:
        width, height = height, width
    if width * height > MOST_PIXELS:
        raise Unfit(f"has more than {MOST_PIXELS:,} pixels")
    if width < LEAST_WIDTH:
        raise Unfit(f"is only {width} pixels wide; {LEAST_WIDTH} are needed")
    if not NARROWEST <= width / height <= WIDEST:
        raise Unfit(f"is {width} by {height} pixels, which is the shape of a banner")


def _flat(image: Image.Image) -> Image.Image:
    """Without transparency or palette, in a mode that a colour profile can speak of."""
    if image.has_transparency_data:
        seen = image.convert("RGBA")
        ground = Image.new("RGBA", seen.size, _GROUND)
        return Image.alpha_composite(ground, seen).convert("RGB")
    if image.mode.startswith("I"):  # grey of 16 bits, of which the upper eight are seen
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    return image if image.mode in {"RGB", "CMYK", "L"} else image.convert("RGB")


def _box(width: int, height: int) -> tuple[float, float, float, float]:
    """What of it is shown: what is too tall loses more below than above, since faces are high up."""
    if height <= width * TALLEST * 1.01:
        return 0, 0, width, height
    kept = width * CUT
    top = (height - kept) * _HIGH_UP
    return 0, top, width, top + kept


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            changed = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError):
            changed = None  # a profile for another kind of colours, or none at all
        if changed is not None:
            return changed
    return image.convert("RGB")


def _fitted(image: Image.Image, most_bytes: int) -> Made:
    _check_content(image)
    image.info.clear()  # a comment in it would be written along
    for quality in range(BEST, WORST - 1, -STEP):
        written = BytesIO()
        image.save(written, "JPEG", quality=quality, progressive=True, optimize=True)
        if written.tell() <= most_bytes:
            return Made(written.getvalue(), *image.size)
    raise Unfit(f"does not fit into {most_bytes // 1024} kB")


def _check_content(image: Image.Image) -> None:
    sample = image.resize(_SAMPLE, Image.Resampling.BOX)
    if ImageStat.Stat(sample.convert("L")).stddev[0] < _LEAST_CONTRAST:
        raise Unfit("is nearly one colour")
    colours = ImageOps.posterize(sample, _COLOUR_BITS).getcolors(_SAMPLE[0] * _SAMPLE[1]) or []
    if max(count for count, _ in colours) > ONE_COLOUR * _SAMPLE[0] * _SAMPLE[1]:
        raise Unfit("is for the most part one colour, as logos, charts and placeholders are")
