"""What a series makes for writers: volumes, frames, objects, rows of tables."""

from cohortkit.pixels import show as show  # by which volumes and frames show themselves
