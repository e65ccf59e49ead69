"""What another tool does, done here: for comparing with it, and never for an export.

deid's recipes on top of the basic profile are ``ck.load_recipe("x.dicom")``. Here they do what deid
does with them, and no more than that: an element that no line names stays, a misspelt line is
skipped, a function that is not there changes nothing.
"""

from __future__ import annotations

from cohortkit.compat.apply import deid_apply, deid_recipe

__all__ = ["deid_apply", "deid_recipe"]
