"""Whether issued invoices are what the facts make them."""
