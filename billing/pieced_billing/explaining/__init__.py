"""Explaining: what an amount comes from, down to single events."""
