"""The forms of authorities, as data: which fields they ask, and their clocks."""
