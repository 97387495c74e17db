"""Ledger, prices, rating and invoices of Pieced: from what was ordered and used to what is owed."""
