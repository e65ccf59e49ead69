"""As ``cohortkit_step``, with descriptions cleaned. What is timed."""

from __future__ import annotations

import os

os.environ["STEP_OPTIONS"] = "clean-descriptors"

import cohortkit_step
import frame

if __name__ == "__main__":
    frame.run(cohortkit_step.many, cohortkit_step.before)
