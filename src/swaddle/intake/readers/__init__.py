"""Readers: bytes of a file to a table of text, every row with its line, nothing dropped."""
