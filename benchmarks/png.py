"""PNG beside Pillow's default: speed, size, and whether others read the same pixels.

    python benchmarks/png.py [--rounds N]

The pictures are slices of ``throughput_made.py`` (noise as a scanner's): 16 bits as they are
stored, 8 bits under a window. Speed is pixels over CPU time of this process, the best of the
rounds, the two encoders in turns. Each picture is read back by Pillow, and by OpenCV where that
is installed.

Goals: 16 bits at least 25 times, 8 bits at least 6 times Pillow's speed, at most 1.1 times its
size. Exit code 1 where one is missed or a pixel differs.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from throughput_made import _body, _pixels

from cohortkit.pixels.encode import png

Picture = NDArray[np.uint8] | NDArray[np.uint16]
_SLICES = 12
_LOW, _WIDTH = 860, 400
_MOST_SIZE = 1.1


def pillow(picture: Picture) -> bytes:
    """As Pillow writes it unasked."""
    out = BytesIO()
    Image.fromarray(picture).save(out, "PNG")
    return out.getvalue()


def timed(encode: Callable[[Picture], bytes], pictures: Sequence[Picture]) -> tuple[float, int]:
    """CPU seconds and bytes of all pictures."""
    before = time.process_time()
    size = sum(len(encode(picture)) for picture in pictures)
    return time.process_time() - before, size


def same(picture: Picture) -> bool:
    """Whether others read what was written."""
    data = png(picture)
    read = [np.asarray(Image.open(BytesIO(data))).astype(picture.dtype)]
    if find_spec("cv2") is not None:
        import cv2  # noqa: PLC0415 - where it is installed

        read.append(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED))
    return all(np.array_equal(picture, one) for one in read)


def side_by_side(pictures: Sequence[Picture], rounds: int, least: float) -> bool:
    """Print speed and size beside Pillow's; whether both goals are met."""
    ours = theirs = float("inf")
    for _ in range(rounds):
        taken, size = timed(png, pictures)
        pillow_taken, pillow_size = timed(pillow, pictures)
        ours, theirs = min(ours, taken), min(theirs, pillow_taken)
    pixels = sum(picture.nbytes for picture in pictures) / 1e6
    faster, larger, equal = theirs / ours, size / pillow_size, all(map(same, pictures))
    met = faster >= least and larger <= _MOST_SIZE and equal
    print(f"{pictures[0].dtype}: {pixels / ours:6.0f} MB/s, Pillow {pixels / theirs:6.1f}")
    print(f"    speed over Pillow's {faster:6.1f}  goal {least}")
    print(f"    size over Pillow's  {larger:6.3f}  goal {_MOST_SIZE}")
    print(f"    read back the same: {equal}   {'met' if met else 'MISSED'}")
    return met


def main() -> int:
    """Print both depths."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    chance, body = np.random.default_rng(1), _body()
    deep = [_pixels(body, number / _SLICES, chance) for number in range(_SLICES)]
    shown = [
        np.clip((one.astype(np.float32) - _LOW) * 255 / _WIDTH, 0, 255).astype(np.uint8)
        for one in deep
    ]
    met = [side_by_side(deep, given.rounds, 25), side_by_side(shown, given.rounds, 6)]
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    return int(not all(met))


if __name__ == "__main__":
    sys.exit(main())
