"""QR codes as the path of an SVG. Pure."""

import segno


def path(text: str) -> tuple[int, str]:
    """Return the side of a QR code in modules and the path that draws it, one unit a module, without a margin."""
    rows = segno.make(text, micro=False, error="m").matrix
    strokes = []
    for y, row in enumerate(rows):
        x = 0
        while x < len(row):
            run = next((n for n, dark in enumerate(row[x:]) if not dark), len(row) - x)
            if run:
                strokes.append(f"M{x} {y}h{run}v1h-{run}z")
            x += run or 1
    return len(rows), "".join(strokes)
