"""What the index alone lets one foresee: refusals, sizes, missing decoders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cohortkit.deidentify.gates import held_back
from cohortkit.dicom.sop_classes import lookup
from cohortkit.errors import MissingDependency
from cohortkit.model import Codec, PayloadKind, Reason, Task
from cohortkit.pixels.decode import missing
from cohortkit.protocols import Writer
from cohortkit.recipe.model import Recipe
from cohortkit.run.persons import Row, text

PACKED = 0.5
"""Compressed size over raw size, roughly (CT and MR: 0.4 to 0.6)."""

ROW_BYTES = 400
"""Bytes that an instance adds to the tables, roughly."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """One task: a reason to refuse it whole, or the bytes of each output (0: not applicable).

    Attributes:
        only: reasons to refuse it for one output, by the output's name.
    """

    reason: Reason | None
    sizes: Mapping[str, int]
    only: Mapping[str, Reason] = field(default_factory=dict)


def forecast(task: Task, row: Row, recipe: Recipe, outputs: Sequence[Writer]) -> Forecast:
    """What the worker will say, as far as the index knows; it decides by the headers again."""
    reason = _refusal(task, row, recipe)
    sizes = dict.fromkeys((writer.name for writer in outputs), 0)
    only: dict[str, Reason] = {}
    if reason is None:
        raw = _raw_bytes(row)
        kinds = payloads(row)
        for writer in outputs:
            if not writer.accepts:
                sizes[writer.name] = ROW_BYTES * len(task.files)
            elif PayloadKind.OBJECT in writer.accepts:
                # a server does not tell how large its objects are
                sizes[writer.name] = sum(file.size for file in task.files) or int(raw)
            elif writer.accepts & kinds:
                if _lone_slice(task, row) and getattr(writer, "single", "") == "refuse":
                    only[writer.name] = Reason.SINGLE_SLICE
                else:
                    sizes[writer.name] = int(raw * PACKED)
    return Forecast(reason, sizes, only)


def _lone_slice(task: Task, row: Row) -> bool:
    """Whether the series is one image of one slice; a mosaic holds many in one image."""
    frames, kind = row.get("NumberOfFrames"), row.get("ImageType")
    mosaic = isinstance(kind, Iterable) and "MOSAIC" in list(kind)
    return len(task.files) == 1 and frames in {None, 1} and not mosaic


def _refusal(task: Task, row: Row, recipe: Recipe) -> Reason | None:
    if not task.person.patient_id:
        return Reason.NO_PATIENT_ID
    sop = lookup(task.sop_class_uid)
    if sop is None:
        return Reason.UNKNOWN_SOP_CLASS

    def there(keyword: str) -> bool | None:
        return row[keyword] is not None if keyword in row else None

    return held_back(row.get, sop, recipe, there)


def payloads(row: Row) -> frozenset[PayloadKind]:
    """What a series can be assembled into, by the classes of its instances."""
    classes = row.get("sop_classes")
    uids = {text(row.get("SOPClassUID"))}
    if isinstance(classes, Iterable) and not isinstance(classes, str):
        uids |= {text(uid) for uid in classes}
    known = [sop for sop in map(lookup, sorted(uids)) if sop is not None]
    return frozenset().union(*(sop.payloads for sop in known))


def _raw_bytes(row: Row) -> float:
    count = 1.0
    for name in ("Rows", "Columns", "NumberOfFrames", "BitsAllocated"):
        value = row.get(name)
        if not isinstance(value, int | float):
            size = row.get("size")
            return float(size) if isinstance(size, int | float) else 0.0
        count *= value
    samples = row.get("SamplesPerPixel")
    return count / 8 * (samples if isinstance(samples, int | float) else 1)


def demand_decoders(
    rows: Iterable[Row], forecasts: Sequence[Forecast], outputs: Sequence[Writer]
) -> None:
    """Raise before anything is read if pixels are wanted that cannot be decoded here.

    A transfer syntax that no version can decode is not demanded: it is refused by name, later.

    Raises:
        MissingDependency: what to install, and for how many series.
    """
    accepted: frozenset[PayloadKind] = frozenset().union(*(one.accepts for one in outputs))
    wanted = accepted - {PayloadKind.OBJECT}  # whose pixels stay as they are
    needed: Counter[str] = Counter()
    for row, seen in zip(rows, forecasts, strict=True):
        if seen.reason is None and payloads(row) & wanted:
            packages = {missing(codec) for codec in _codecs(row)}
            needed.update(package for package in packages if package is not None)
    if needed:
        told = ", ".join(f"{package} ({count} series)" for package, count in sorted(needed.items()))
        raise MissingDependency(f"decoders are missing for the cohort's pixels; install {told}")


def _codecs(row: Row) -> set[Codec]:
    listed = row.get("transfer_syntaxes")
    uids = {text(row.get("TransferSyntaxUID"))}
    if isinstance(listed, Iterable) and not isinstance(listed, str):
        uids |= {text(uid) for uid in listed}
    known = {codec.value: codec for codec in Codec if codec is not Codec.OTHER}
    return {known[uid] for uid in uids if uid in known}
