"""Payments, and what is open on an invoice. Dunning comes later."""
