"""Builds these pages: ``sphinx-build -n -W docs docs/_build`` with Sphinx, MyST and furo."""

project = "cohortkit"
extensions = ["myst_parser"]
html_theme = "furo"
exclude_patterns = ["_build"]
myst_heading_anchors = 3
root_doc = "index"
# Links to files outside docs/ (SECURITY.md) are checked by tests/test_docs.py.
suppress_warnings = ["myst.xref_missing"]
