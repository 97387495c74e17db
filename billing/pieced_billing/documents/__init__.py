"""What a customer receives: the invoice as a page with its Swiss payment part."""
