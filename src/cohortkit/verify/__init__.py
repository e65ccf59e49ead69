"""Proof that what was written holds no source identity (what to look for: ``cohortkit.traces``).

``search``      where it stands: names, headers, chunks, cells
``canary``      the self-test that each run begins with
``checks``      what lies on disk, against what the records say
"""

from cohortkit.traces.patterns import Patterns, collect
from cohortkit.verify.canary import canary
from cohortkit.verify.search import Hit, Scanned, scan_file, scan_rows, search

__all__ = ["Hit", "Patterns", "Scanned", "canary", "collect", "scan_file", "scan_rows", "search"]
