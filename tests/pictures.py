"""Pictures that tests send: what phones, scanners and attackers make."""

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

from PIL import Image

RED, GREEN, BLUE = (255, 0, 0), (0, 128, 0), (0, 0, 255)


def written(picture: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    """Return a picture as a file."""
    file = BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def form(data: bytes | None, name: str = "file", filename: str = "me.jpg") -> dict[str, Any]:
    """Return the body of a form with a file, as options of a request of the test client."""
    head = f'--limit\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n\r\n'
    part = b"" if data is None else head.encode() + data + b"\r\n"
    return {"data": part + b"--limit--\r\n", "content_type": "multipart/form-data; boundary=limit"}


def opened(data: bytes) -> Image.Image:
    """Return what a square WebP shows."""
    picture = Image.open(BytesIO(data))
    picture.load()
    return picture


def plain(kind: str = "PNG", size: tuple[int, int] = (40, 30), color: Any = RED) -> bytes:
    """Return a picture of one colour."""
    return written(Image.new("RGB", size, color), kind)


def on_its_side() -> bytes:
    """Return a photo of 400×200 that is to be turned (EXIF orientation 6), with the place where it was taken.

    Turned upright its upper half is red and its lower half blue.
    """
    picture = Image.new("RGB", (400, 200), RED)
    picture.paste(BLUE, (200, 0, 400, 200))
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (55.0, 45.0, 0.0)
    return written(picture, exif=exif, comment=b"taken at home")


def many_scans(number: int, size: tuple[int, int] = (40, 40)) -> bytes:
    """Return a progressive JPEG whose last scan, of few bytes for all its blocks, is there so many times more."""
    data = written(Image.new("RGB", size, RED), progressive=True, subsampling=0)
    return data[:-2] + data[data.rindex(b"\xff\xda") : -2] * number + data[-2:]


def for_print() -> bytes:
    """Return a CMYK JPEG as Adobe's programs write it, with inverted values: red beside green."""
    picture = Image.new("CMYK", (60, 60), (0, 255, 255, 0))
    picture.paste((255, 0, 255, 127), (30, 0, 60, 60))
    data = written(picture, quality=95)
    assert b"Adobe" in data
    return data


def deep_grey() -> bytes:
    """Return a PNG with 16 bits of grey, from black on the left to white on the right."""
    row = b"".join(struct.pack(">H", x * 65535 // 255) for x in range(256))
    return png(256, 256, row, depth=16, color_type=0)


def with_a_hole() -> bytes:
    """Return a PNG with a palette whose upper left quarter is transparent, the rest green."""
    picture = Image.new("P", (64, 64), 1)
    picture.putpalette([0, 0, 0, *GREEN])
    picture.paste(0, (0, 0, 32, 32))
    return written(picture, "PNG", transparency=0)


def png(width: int, height: int, row: bytes, *, depth: int = 8, color_type: int = 2, rows: int | None = None) -> bytes:
    """Return a PNG all of whose rows are alike; `rows` are those that are really there."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    packer = zlib.compressobj(9)
    body = b"".join(packer.compress(b"\0" + row) for _ in range(height if rows is None else rows)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def _animated(kind: str) -> bytes:
    frames = [Image.new("RGB", (40, 40), color) for color in (RED, BLUE, GREEN)]
    return written(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)


# Each of them gets a 422.
UNUSABLE: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "a text": lambda: b"not a picture at all",
    "an SVG": lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "a page": lambda: b"<!doctype html><script>alert(1)</script>",
    "a GIF": lambda: plain("GIF"),
    "a BMP": lambda: plain("BMP"),
    "a TIFF": lambda: plain("TIFF"),
    "a JPEG cut in half": lambda: written(Image.effect_noise((300, 300), 90))[:9000],
    "a PNG cut in half": lambda: written(Image.effect_noise((300, 300), 90), "PNG")[:30_000],
    "a WebP cut in half": lambda: written(Image.effect_noise((300, 300), 90), "WEBP")[:3000],
    "a JPEG of 210 scans": lambda: many_scans(210),
    "a head alone": lambda: plain("JPEG")[:20],
    "14,000 × 14,000 pixels": lambda: png(14_000, 14_000, b"\0" * 42_000, rows=1),
    "one row more than 25 megapixels": lambda: png(5000, 5001, b"\0" * 15_000, rows=1),
}
# Each of them becomes a clean square.
DISGUISED: dict[str, Callable[[], bytes]] = {
    "a page in a JPEG's comment": lambda: written(Image.new("RGB", (40, 40), RED), comment=b"<script>1</script>"),
    "a page behind a JPEG": lambda: plain("JPEG") + b"<script>alert(1)</script>",
    "an animated PNG": lambda: _animated("PNG"),
    "an animated WebP": lambda: _animated("WEBP"),
    "a photo of a phone with two lenses": lambda: _animated("MPO"),
    "one pixel": lambda: plain(size=(1, 1)),
    "a line": lambda: plain(size=(3000, 1)),
}
