"""Parties: who is billed, and on which terms."""
