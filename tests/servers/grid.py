"""An archive of 3,200 instances with the troubles of real ones, forty questions, and an oracle.

The oracle is plain Python over plain rows: it takes nothing of cohortkit.
"""

from __future__ import annotations

import datetime as dt
import math
import random
import re
from typing import Any

import polars as pl

from cohortkit.index.columns import INSTANCES, series_key
from cohortkit.index.rollup import roll_up, series_schema, with_study_counts
from cohortkit.index.store import StoreIndex

DAY = dt.date
NASTY = [
    "CT THORAX WITH CONTRAST",
    "ct thorax",
    "100% dose_a",
    "a_b",
    "axb",
    "O'Brien's \\ knee",
    "Schädel nativ",
    "two\nlines",
    'say "ah"',
    "line\\",
    "a!b",
    "*",
    "?",
    "A*",
    "%",
    "_",
    "-1",
    "NULL",
    "x; DROP TABLE cohortkit_series; --",
    "é",
    "e\u0301",
    "thorax\0old",
    "\ue0000",
    None,
    None,
]
CHOICES: dict[str, list[object]] = {
    "Modality": ["CT", "MR", "US", "ct", None],
    "BodyPartExamined": ["CHEST", "chest", "HEAD", "HEAD NECK", None],
    "StudyDescription": [*NASTY],
    "SeriesDescription": [*NASTY],
    "StudyDate": [None, DAY(1, 1, 1), DAY(2021, 12, 31), DAY(2022, 1, 1), DAY(2024, 2, 29)],
    "StudyTime": [None, dt.time(0), dt.time(12, 30, 0, 5), dt.time(23, 59, 59)],
    "PatientBirthDate": [None, DAY(1900, 1, 1), DAY(1970, 5, 5)],
    "AccessionNumber": [None, "A1", "A*", "A?", "0012", "12", "A%"],
    "SliceThickness": [None, 0.1, 0.5, 1.0, 2.5, 1e-7, float("nan")],
    "Rows": [None, 0, 256, 512, 2**40],
    "ImageType": [None, [], ["ORIGINAL", "PRIMARY"], ["DERIVED"], ["ORIGINAL", ""]],
    "PixelSpacing": [None, [0.5, 0.5], [1.0, 1.0]],
    "Manufacturer": ["ACME", "Acme GmbH", None],
    "PatientSex": ["F", "M", "O", None],
}


def archive(seed: int = 7, series: int = 800, each: int = 4) -> StoreIndex:
    """A scanned archive, as it lies in a store; by instance the values of a series are the same."""
    draw = random.Random(seed)
    rows: list[dict[str, object]] = []
    for number in range(series):
        person = draw.choice(["0001", "1", "P*", "Zoë", "O'Neil", "p-7", "p-8", "p-9"])
        said: dict[str, object] = {name: draw.choice(many) for name, many in CHOICES.items()}
        said |= {
            "PatientID": person,
            "IssuerOfPatientID": draw.choice([None, "SITE"]),
            "PatientName": "Planted^Person",
            "StudyInstanceUID": f"1.{draw.randrange(300)}",
            "SeriesInstanceUID": f"2.{number}",
            "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2",
            "kind": "image",
            "department": "radiology",
            "risk": "low",
        }
        said["series_key"] = series_key(said)
        for place in range(each):
            more = {
                "SOPInstanceUID": f"3.{number}.{place}",
                "path": f"{number}/{place}.dcm",
                "size": 100 + place,
                "mtime_ns": 5,
            }
            rows.append(said | more)
    table = pl.DataFrame(rows, schema_overrides=INSTANCES).select(
        pl.col(n).cast(k) if n in rows[0] else pl.lit(None, k).alias(n)
        for n, k in INSTANCES.items()
    )
    rolled = with_study_counts(roll_up(table.lazy())).select(series_schema().names())
    tables = {"instances": table.lazy(), "series": rolled.lazy()}
    return StoreIndex("v1", "", ("/archive",), tables)


QUESTIONS: list[dict[str, object]] = [
    {"Modality": "CT"},
    {"Modality": ["CT", "MR"]},
    {"Modality": None},
    {"Modality": ["MR", None]},
    {"Modality": "C*"},
    {"Modality": "?T"},
    {"BodyPartExamined": "HEAD"},
    {"BodyPartExamined": "HEAD*"},
    {"BodyPartExamined": re.compile("(?i)chest")},
    {"BodyPartExamined": ["CHEST", "HEAD*", None]},
    {"StudyDescription": "CT THORAX WITH CONTRAST"},
    {"StudyDescription": "*THORAX*"},
    {"StudyDescription": "*thorax*"},
    {"StudyDescription": "100% dose_a"},
    {"StudyDescription": "a_b"},
    {"StudyDescription": "O'Brien's \\ knee"},
    {"StudyDescription": "Sch?del*"},
    {"StudyDescription": "two*lines"},
    {"StudyDescription": "line\\"},
    {"StudyDescription": "*!*"},
    {"StudyDescription": "?"},
    {"StudyDescription": "%*"},
    {"StudyDescription": re.compile(r"thorax$", re.IGNORECASE)},
    {"SeriesDescription": "x; DROP TABLE cohortkit_series; --"},
    {"StudyDescription": "thorax\0old"},
    {"StudyDescription": "\ue0000"},
    {"StudyDate": "2022-01-01"},
    {"StudyDate": ("2021-12-31", "2022-06-01")},
    {"StudyDate": (None, "2021-12-31")},
    {"StudyDate": ("2022-01-01", None)},
    {"StudyDate": None},
    {"StudyDate": ["2021-12-31", "2024-02-29"]},
    {"StudyTime": ("12:30", None)},
    {"SliceThickness": 0.1},
    {"SliceThickness": (0.5, 1)},
    {"SliceThickness": None},
    {"Rows": 512},
    {"Rows": (0, 512)},
    {"Rows": (2**40, None)},
    {"ImageType": "ORIGINAL"},
    {"ImageType": None},
    {"PixelSpacing": 0.5},
    {"PatientID": "0001"},
    {"PatientID": "O'Neil"},
    {"AccessionNumber": "0012"},
    {"AccessionNumber": ["A1", "12"]},
    {"PatientSex": ["F", "O"]},
    {"PatientID": ["1", "Zoë"], "Modality": "CT", "StudyDate": ("2022-01-01", None)},
    {"NumberOfSeriesRelatedInstances": (2, None)},
    {"Modality": "CT", "StudyDescription": "*a*"},
]


def holds(row: dict[str, Any], terms: dict[str, object]) -> bool:
    """Whether all terms hold for a row, by the words of the documentation."""
    return all(_holds(row[name], asked) for name, asked in terms.items())


def _holds(value: object, asked: object) -> bool:
    values = value if isinstance(value, list) else [value]
    values = [v for v in values if v is not None and v != "" and not _nan(v)]
    if asked is None:
        return not values
    if isinstance(asked, list):
        return any(_holds(values, one) for one in asked)
    return any(_is(one, asked) for one in values)


def _nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _is(value: Any, asked: Any) -> bool:  # noqa: ANN401 - two values of one type
    if isinstance(asked, re.Pattern):
        return asked.search(value) is not None
    if isinstance(asked, tuple):
        low, high = (None if side is None else _like(side, value) for side in asked)
        return (low is None or value >= low) and (high is None or value <= high)
    if isinstance(value, str) and ("*" in asked or "?" in asked):
        signs = {"*": ".*", "?": "."}
        pattern = "".join(signs.get(sign) or re.escape(sign) for sign in asked)
        return re.fullmatch(pattern, value, re.DOTALL) is not None
    return bool(value == _like(asked, value))


def _like(asked: Any, value: object) -> Any:  # noqa: ANN401 - the type of the other
    if isinstance(value, dt.date):
        return dt.date.fromisoformat(asked)
    return dt.time.fromisoformat(asked) if isinstance(value, dt.time) else asked
