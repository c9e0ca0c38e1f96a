"""The rules of what passes between parties: signed requests, messages, enrolment; and the one client."""
