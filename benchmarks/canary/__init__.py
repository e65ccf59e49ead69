"""Parts of ``canary.py``: the archive, the notebook, the leaks, the judge."""
