import io
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image, ImageCms

from referral_app import pictures
from tests.pictures import (
    BLUE,
    DISGUISED,
    GREEN,
    RED,
    UNUSABLE,
    deep_grey,
    for_print,
    on_its_side,
    opened,
    plain,
    with_a_hole,
    written,
)


def near(pixel: Any, color: tuple[int, int, int], by: int = 24) -> bool:
    return all(abs(one - other) <= by for one, other in zip(pixel[:3], color, strict=True))


def made(data: bytes) -> Image.Image:
    """Make the square; check what is true of all."""
    picture = opened(pictures.square(data))
    assert (picture.format, picture.size) == ("WEBP", (256, 256))
    assert not {"exif", "icc_profile", "xmp"} & picture.info.keys()
    assert len(picture.getexif()) == 0
    return picture


def test_a_photo_on_its_side_is_turned_and_tells_no_place() -> None:
    picture = made(on_its_side())
    assert near(picture.getpixel((128, 20)), RED)
    assert near(picture.getpixel((128, 236)), BLUE)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_eight_orientations_are_upright(orientation: int) -> None:
    upright = Image.new("RGB", (300, 300), RED)
    upright.paste(BLUE, (0, 150, 150, 300))
    # How each of them is stored, by EXIF 2.32, 4.6.5.1.
    stored = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = upright.transpose(stored[orientation]) if orientation in stored else upright
    picture = made(written(turned, exif=exif))
    assert near(picture.getpixel((40, 216)), BLUE)
    for corner in ((40, 40), (216, 40), (216, 216)):
        assert near(picture.getpixel(corner), RED)


def test_a_picture_for_print_keeps_its_colours() -> None:
    picture = made(for_print())
    assert near(picture.getpixel((40, 128)), RED, 60)
    assert near(picture.getpixel((216, 128)), GREEN, 60)


def test_sixteen_bits_of_grey_stay_a_gradient() -> None:
    picture = made(deep_grey())
    levels: list[Any] = [picture.convert("L").getpixel((x, 128)) for x in (4, 64, 128, 192, 251)]
    assert all(abs(level - x) < 12 for level, x in zip(levels, (4, 64, 128, 192, 251), strict=True)), levels


def test_a_transparent_corner_stays_transparent() -> None:
    picture = made(with_a_hole())
    assert picture.getpixel((20, 20))[3] == 0  # type: ignore[index]
    assert picture.getpixel((236, 236))[3] == 255  # type: ignore[index]
    assert near(picture.getpixel((236, 236)), GREEN)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_kind_of_png_can_be_used(mode: str) -> None:
    white = {"I;16": 65535}.get(mode, "white")
    assert near(made(written(Image.new(mode, (30, 40), white), "PNG")).convert("RGB").getpixel((128, 128)), (255,) * 3)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_one_colour_that_a_png_names_as_transparent_is_so(mode: str) -> None:
    see_through = written(Image.new(mode, (30, 40), "white"), "PNG", transparency=255 if mode == "L" else (255,) * 3)
    assert made(see_through).getpixel((128, 128))[3] == 0  # type: ignore[index]


def test_colours_follow_their_profile() -> None:
    # In this profile the numbers of sRGB's green stand where red does.
    swapped = Image.new("RGB", (60, 60), GREEN)
    lab = ImageCms.createProfile("LAB")
    grey = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert near(made(written(swapped, icc_profile=grey)).getpixel((9, 9)), GREEN)
    # Profiles of other colours, and broken ones, count for nothing.
    for profile in (ImageCms.ImageCmsProfile(lab).tobytes(), b"no profile"):
        assert near(made(written(swapped, icc_profile=profile)).getpixel((9, 9)), GREEN)


def test_a_wide_profile_is_brought_into_srgb() -> None:
    linear = ImageCms.ImageCmsProfile(io.BytesIO(wide_profile()))
    picture = written(Image.new("RGB", (60, 60), (128, 128, 128)), "PNG", icc_profile=linear.tobytes())
    assert near(made(picture).getpixel((9, 9)), (188, 188, 188), 4)  # a half of the light is 188 in sRGB


def wide_profile() -> bytes:
    """Return the profile of sRGB with its curves replaced by straight lines: numbers are light."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for place in range(len(profile) - 4):
        if profile[place : place + 4] == b"para":
            profile[place + 8 : place + 12] = bytes(4)  # a curve of the kind Y = X^g
            profile[place + 12 : place + 16] = (65536).to_bytes(4, "big")  # g = 1
    return bytes(profile)


def test_the_middle_of_a_wide_picture_is_taken() -> None:
    wide = Image.new("RGB", (900, 300), RED)
    wide.paste(BLUE, (300, 0, 600, 300))
    picture = made(written(wide))
    for corner in ((6, 6), (250, 6), (6, 250), (250, 250)):
        assert near(picture.getpixel(corner), BLUE, 40)


@pytest.mark.parametrize("make", UNUSABLE.values(), ids=UNUSABLE)
def test_what_is_no_usable_picture_is_refused(make: Callable[[], bytes]) -> None:
    with pytest.raises(pictures.InvalidPicture):
        pictures.square(make())


@pytest.mark.parametrize("make", DISGUISED.values(), ids=DISGUISED)
def test_what_is_hidden_in_a_picture_stays_behind(make: Callable[[], bytes]) -> None:
    data = pictures.square(make())
    picture = opened(data)
    assert b"script" not in data
    assert getattr(picture, "n_frames", 1) == 1
    assert near(picture.convert("RGB").getpixel((128, 128)), RED)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")  # what the decoder says of it, in its own process
def test_broken_exif_does_not_cost_the_picture() -> None:
    assert near(made(written(Image.new("RGB", (40, 40), RED), exif=b"Exif\0\0MM\0*\0\0\xff\xff")).getpixel((9, 9)), RED)


def test_the_script_answers_by_its_exit_status() -> None:
    def run(data: bytes) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-I", pictures.__file__]
        return subprocess.run(command, input=data, capture_output=True, timeout=30, check=False, env={})

    assert opened(run(plain()).stdout).size == (256, 256)
    refused = run(b"no picture")
    assert (refused.returncode, refused.stdout) == (pictures.UNUSABLE, b"")
