"""The ledger: what was ordered and when."""
