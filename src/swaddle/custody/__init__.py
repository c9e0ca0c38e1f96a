"""Custody: one entry for each event in the life of a transfer, a copy or a key, chained so that none goes unnoticed."""
