"""The envelope: what a submitter makes of a data set so that only its reader can open it (docs/spec/envelope.md)."""
