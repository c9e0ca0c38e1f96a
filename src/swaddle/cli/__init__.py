"""The command line, one file per audience; no rules in it."""
