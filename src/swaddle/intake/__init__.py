"""From an opened file to checked, linked rows: the same on the submitter's machine and inside the registry."""
