"""Feedback: what the registry gives back to a submitter, as one report and one bundle."""
