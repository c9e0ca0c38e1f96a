"""Indicators: definitions as data, counted in SQL, compared with intervals, and hidden where a few could be known."""
