"""A submitter's side: enrol, prepare, send, and read what the registry gives back."""
