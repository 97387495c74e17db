"""Invoicing: drafts of what an organisation owes for a month, and the invoices made of them."""
