"""The made-up hospital of the docs: what ``archive/`` and ``labels.csv`` are on every page."""

from __future__ import annotations

from pathlib import Path

from factory import MR, SC, Patient, Series, write_series

FIRST, LAST = 2021, 2024
NAMES = ("Achterberg^Liv", "Brandmeyer^Jost", "Castellano^Ines", "Dombrowski^Kaja", "Eklund^Arvid")


def people() -> tuple[Patient, ...]:
    """Five patients with a study a year."""
    return tuple(
        Patient(
            patient_id=f"MRN-004711{number:02d}",
            name=name,
            birth_date=f"19{40 + 7 * number}0{1 + number}14",
            study_date=f"{FIRST + number % (LAST - FIRST + 1)}0{1 + number}17",
            accession=f"ACC-77190{number:02d}",
            age=f"0{30 + 7 * number}Y",
            sex="FM"[number % 2],
        )
        for number, name in enumerate(NAMES)
    )


def build(folder: Path) -> None:
    """Lay the hospital out in a folder: ``archive/`` and ``labels.csv``."""
    archive = folder / "archive"
    for number, patient in enumerate(people()):
        place = archive / f"{number:03d}"
        chest = Series(slices=44, rows=16, columns=16, seed=number)
        write_series(place, patient, chest)
        write_series(place, patient, Series(slices=3, number=2, rows=16, columns=16, step=5.0))
        if number % 2:
            head = Series(sop_class=MR, modality="MR", body_part="BRAIN", number=3, slices=6)
            write_series(place, patient, head)
        else:
            capture = Series(sop_class=SC, modality="OT", number=4, slices=1)
            write_series(place, patient, capture)
    (archive / "notes.txt").write_text("not DICOM at all\n", "utf-8")
    rows = (f"{p.accession},{'nodule' if n % 2 else 'none'}" for n, p in enumerate(people()))
    (folder / "labels.csv").write_text(
        "AccessionNumber,finding\n" + "\n".join(rows) + "\n", "utf-8"
    )
