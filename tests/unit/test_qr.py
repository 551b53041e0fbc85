import re

import segno

from referral_app import qr


def test_the_path_draws_exactly_the_dark_modules() -> None:
    text = "https://pozovi.example/r/7KM4QX"
    side, path = qr.path(text)
    drawn = {
        (x + n, y)
        for x, y, run in (map(int, stroke) for stroke in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", path))
        for n in range(run)
    }
    matrix = segno.make(text, micro=False, error="m").matrix
    assert drawn == {(x, y) for y, row in enumerate(matrix) for x, dark in enumerate(row) if dark}
    assert side == len(matrix)
