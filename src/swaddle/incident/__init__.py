"""Incident: a breach being handled, and whom it could be about, from what was present and who was in it."""
