"""Make the README's picture from a real run of the demo: the flow, and slices as written.

    pip install --group docs && python scripts/make_picture.py

Everything in it is read from the export's own tables and files; nothing is drawn by hand.
"""

from __future__ import annotations

import re
import sys
import tempfile
from base64 import b64encode
from pathlib import Path

import polars as pl
import resvg_py

from cohortkit import demo

OUT = Path(__file__).resolve().parents[1] / "docs" / "picture.png"
LARGEST = 300_000
FONT = "DejaVu Sans"
WIDTH, MARGIN, TILE, GAP, CAPTION = 880, 24, 270, 10, 34
SMALLEST = 64  # rows; less is not worth looking at


def tiles(made: demo.Demo) -> pl.DataFrame:
    """The largest picture of each shape, with what the tables say of it."""
    images = made.export.table("files").filter(
        pl.col("output") == "png",
        pl.col("role") == "image",
        pl.col("shape").list.first() >= SMALLEST,
    )
    largest = images.sort("size", "path", descending=[True, False])
    return largest.unique("shape", keep="first", maintain_order=True).head(3)


def picture(made: demo.Demo) -> str:
    """The whole as SVG."""
    flow = made.cohort.flow().svg()
    height = float(re.search(r'viewBox="0 0 \d+ ([\d.]+)"', flow)[1])
    flow = flow.replace('width="100%"', f'width="{WIDTH}" height="{height}"', 1)
    columns = (WIDTH - 2 * MARGIN + GAP) // (TILE + GAP)
    parts = []
    for number, row in enumerate(tiles(made).iter_rows(named=True)):
        x = MARGIN + number % columns * (TILE + GAP)
        y = height + 40 + number // columns * (TILE + CAPTION)
        data = b64encode((made.export.release / row["path"]).read_bytes()).decode()
        words = f"{'x'.join(map(str, row['shape']))}, {row['dtype']}"
        parts.append(
            f'<rect x="{x}" y="{y}" width="{TILE}" height="{TILE}"/>'
            f'<image x="{x}" y="{y}" width="{TILE}" height="{TILE}" '
            f'href="data:image/png;base64,{data}"/>'
            f'<text class="small" x="{x}" y="{y + TILE + 16}">{words}</text>'
        )
    rows = -(-len(parts) // columns)
    whole = height + 50 + rows * (TILE + CAPTION)
    title = "Images of these series as they were written (de-identified, 8 bit)"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{whole}">'
        "<style>text{font-family:sans-serif;font-size:13px;fill:#1f2937}"
        ".small{font-size:12px;fill:#64748b}</style>"
        f'<rect width="{WIDTH}" height="{whole}" fill="#ffffff"/>{flow}'
        f'<text x="{MARGIN}" y="{height + 26}" font-weight="600">{title}</text>'
        f"{''.join(parts)}</svg>"
    )


def main() -> int:
    """Run the demo in a folder of its own and draw."""
    with tempfile.TemporaryDirectory() as folder:
        made = demo.run(Path(folder) / "demo", progress=False)
        data = bytes(resvg_py.svg_to_bytes(svg_string=picture(made), sans_serif_family=FONT))
    if len(data) > LARGEST:
        print(f"the picture has {len(data)} bytes, more than {LARGEST}")
        return 1
    OUT.write_bytes(data)
    print(f"{OUT.name}: {len(data)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
