"""What the leak benchmark is made of; only the adapters of cohortkit import anything of it.

- ``table``: PS3.15 Table E.1-1 and the dictionary, as lists of what may be planted;
- ``markers``: values that are unlike any other, so that finding one anywhere is a leak;
- ``corpus``, ``places``, ``oddities``: files that hold them, and the answer key;
- ``peers``, ``adapters/``: each tool in an environment and a process of its own;
- ``needles``, ``judge``: what is left of every marker, and what is left of the useful part;
- ``verdict``: the table, and whether the goals are met.
"""
