"""Promise 4 on planted volumes: every voxel at its place, or no volume."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import cohortkit as ck
from cohortkit.run import produce
from promised import Run, check_volumes


def test_every_planted_voxel_is_at_its_place(exported: ck.Export) -> None:
    """Values and places, computed here from what was planted."""
    check_volumes(exported)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_sabotage_a_flip_turns_the_promise_red(
    axis: int,
    archive: Path,
    key: ck.Key,
    inline: Run,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Voxels flipped along one axis under the same affine are seen."""
    honest = produce.volume.assemble

    def flipping(series: object) -> object:
        for item in honest(series):  # type: ignore[arg-type]
            flipped = hasattr(item, "values") and np.flip(item.values, axis)
            yield item if flipped is False else replace(item, values=flipped)

    monkeypatch.setattr(produce.volume, "assemble", flipping)
    broken = inline(archive, tmp_path / "out", key)

    with pytest.raises(AssertionError):
        check_volumes(broken)
