"""A whole job in one file: what to scan, to ask for, to let out, and when."""
