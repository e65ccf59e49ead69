"""Tables that are longer than a row group of Parquet: the same bytes wherever they are made."""

from __future__ import annotations

import os
import subprocess
import sys

_MAKE = """
import hashlib
import sys
import polars as pl
from cohortkit.writers import sheet
sheet.PIECE = int(sys.argv[1])
many = sheet._ROWS_A_GROUP * 18 // 5
made = sheet.Sheet(pl.Schema({"path": pl.String, "spacing": pl.List(pl.Float64)}))
for start in range(0, many, 100):
    rows = range(start, start + 100)
    made.extend([{"path": f"x{n * 7919 % many}", "spacing": [n / 3, 1.5]} for n in rows])
print([hashlib.sha256(made.parquet(by=by)).hexdigest() for by in ([], ["path"])])
"""


def _made(threads: int, piece: int) -> str:
    given = {**os.environ, "POLARS_MAX_THREADS": str(threads)}
    command = [sys.executable, "-c", _MAKE, str(piece)]
    return subprocess.run(command, env=given, stdout=subprocess.PIPE, check=True, text=True).stdout


def test_the_bytes_of_a_long_table_depend_on_its_rows_alone() -> None:
    """Not on the number of processors, nor on how the rows came; sorted ones neither."""
    assert _made(1, 2000) == _made(5, 700)
