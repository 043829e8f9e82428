"""Pictures as publishers send them, drawn for the tests."""

import random
import struct
import zlib
from io import BytesIO
from typing import Any

from PIL import Image, ImageDraw, ImageFilter

SIZE = (1200, 675)


def scene(size: tuple[int, int] = SIZE, seed: int = 1) -> Image.Image:
    """Something like a photograph: a sky, a ground, and things that stand on it. Red is up left, blue down right."""
    chance = random.Random(seed)
    width, height = size
    picture = Image.linear_gradient("L").resize(size).convert("RGB")
    draw = ImageDraw.Draw(picture)
    for _ in range(60):
        left, top = chance.randrange(width), chance.randrange(height)
        colour = tuple(chance.randrange(256) for _ in range(3))
        draw.rectangle((left, top, left + width // 8, top + height // 5), fill=colour)
    draw.rectangle((0, 0, width // 3, height // 3), fill=(220, 30, 30))
    draw.rectangle((2 * width // 3, 2 * height // 3, width, height), fill=(30, 30, 220))
    return picture.filter(ImageFilter.GaussianBlur(2))


def grainy(size: tuple[int, int] = (552, 310)) -> Image.Image:
    """What no encoder can make small."""
    grain = Image.frombytes("RGB", size, random.Random(1).randbytes(size[0] * size[1] * 3))
    return Image.blend(scene(size), grain, 0.5)


def written(picture: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    """The picture as a file."""
    file = BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def jpeg(size: tuple[int, int] = SIZE, **options: Any) -> bytes:
    return written(scene(size), **options)


def opened(body: bytes) -> Image.Image:
    picture = Image.open(BytesIO(body))
    picture.load()
    return picture


def png_of(width: int, height: int, rows: bytes = b"") -> bytes:
    """A PNG whose header states a size that its data may not have."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def bomb(width: int = 6000, height: int = 6000) -> bytes:
    """A few kilobytes of PNG that unpack to more than a hundred megabytes."""
    return png_of(width, height, bytes((width * 3 + 1) * height))


def at(picture: Image.Image, x: float, y: float) -> tuple[int, int, int]:
    """The colour at a place that is given as shares of the width and the height."""
    found = picture.convert("RGB").getpixel((int(x * picture.width), int(y * picture.height)))
    assert isinstance(found, tuple)
    red, green, blue = found
    return int(red), int(green), int(blue)


def is_reddish(colour: tuple[int, int, int]) -> bool:
    red, green, blue = colour
    return red > 150 and green < 100 and blue < 100


def is_bluish(colour: tuple[int, int, int]) -> bool:
    red, green, blue = colour
    return blue > 150 and green < 100 and red < 100
