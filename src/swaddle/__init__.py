"""Swaddle: the front door of a health registry, made safe to lose, and the registry behind it."""
