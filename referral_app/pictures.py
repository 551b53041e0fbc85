"""Pictures: whatever was uploaded becomes a square WebP, upright, in true colours, without metadata. Pure.

As a script it reads a picture from its standard input and writes the square to its standard output, with memory and
time bounded: what a hostile picture does to a decoder, it does in a process of its own.
"""

import contextlib
import resource
import sys
from io import BytesIO

from PIL import Image, ImageCms, WebPImagePlugin  # noqa: F401  the last one is registered by its import

SIDE = 256  # pixels
MAX_PIXELS = 25_000_000
FORMATS = ("JPEG", "PNG", "WEBP")
MAX_SCANS = 200  # of a progressive JPEG, each a walk over the whole picture; cameras write about ten
UNUSABLE = 3  # the script's exit status
_MEMORY = 1024**3
_SECONDS = 5
_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class InvalidPicture(ValueError):
    """Bytes that are no picture of FORMATS, a broken one, or one of more than MAX_PIXELS."""


def square(data: bytes) -> bytes:
    """Return the middle of a picture as a WebP of SIDE × SIDE; of an animation the first frame."""
    Image.MAX_IMAGE_PIXELS = None  # the own limit is lower
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as picture:
            if picture.width * picture.height > MAX_PIXELS or _scans(picture, data) > MAX_SCANS:
                raise InvalidPicture
            return _encode(_middle(picture))
    except Exception as error:
        # Decoders raise whatever comes to their minds.
        raise InvalidPicture from error


def _scans(picture: Image.Image, data: bytes) -> int:
    return data.count(b"\xff\xda") if picture.format in {"JPEG", "MPO"} else 0


def _middle(picture: Image.Image) -> Image.Image:
    picture.draft(None, (2 * SIDE, 2 * SIDE))  # a JPEG need not be decoded in its full size
    picture.load()
    turn = _UPRIGHT.get(_orientation(picture))
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    cut = _plain(picture.crop((left, top, left + side, top + side)))
    small = _in_srgb(cut.resize((SIDE, SIDE), Image.Resampling.LANCZOS, reducing_gap=3.0))
    return small if turn is None else small.transpose(turn)


def _orientation(picture: Image.Image) -> int:
    try:
        return int(picture.getexif().get(_ORIENTATION, 1))
    except Exception:
        return 1  # what is broken there says nothing of the picture


def _plain(picture: Image.Image) -> Image.Image:
    """Return a picture that can be resized: without a palette, with 8 bits for each colour."""
    if picture.mode.startswith("I"):  # 16 bits of grey
        return picture.convert("I").point(lambda level: level * (1 / 257)).convert("L")
    if picture.has_transparency_data:
        return picture.convert("RGBA")
    return picture if picture.mode in {"L", "RGB", "CMYK"} else picture.convert("RGB")


def _in_srgb(picture: Image.Image) -> Image.Image:
    """Return a picture in the colours that browsers take for granted, by its profile where it has one."""
    alpha = picture.getchannel("A") if picture.mode == "RGBA" else None
    opaque = picture.convert("RGB") if alpha else picture
    profile = picture.info.get("icc_profile")
    shown = None
    if profile:
        # A profile that is broken, or one of other colours, counts for nothing.
        with contextlib.suppress(ImageCms.PyCMSError, OSError, ValueError):
            shown = ImageCms.profileToProfile(
                opaque,
                ImageCms.ImageCmsProfile(BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
                outputMode="RGB",
            )
    shown = shown or opaque.convert("RGB")
    if alpha:
        shown.putalpha(alpha)
    return shown


def _encode(picture: Image.Image) -> bytes:
    # Of pixels alone: a copy of the picture would bring its metadata along.
    bare = Image.frombytes(picture.mode, picture.size, picture.tobytes())
    written = BytesIO()
    bare.save(written, "WEBP", quality=85, method=6)
    return written.getvalue()


def main() -> int:
    """Turn standard input into standard output; return the exit status."""
    for limit, value in (
        (resource.RLIMIT_AS, _MEMORY),
        (resource.RLIMIT_CPU, _SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):  # systems that do not know one of them
            resource.setrlimit(limit, (value, value))
    try:
        sys.stdout.buffer.write(square(sys.stdin.buffer.read()))
    except InvalidPicture:
        return UNUSABLE
    return 0


if __name__ == "__main__":
    sys.exit(main())
