"""The inside: pulls transfers from the gateway, opens, checks, stores, and gives back. Start at pipeline.py."""
