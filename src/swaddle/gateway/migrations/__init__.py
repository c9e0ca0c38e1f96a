"""Numbered changes of the transfers database, oldest first; `gateway upgrade` runs them, a running one never."""
