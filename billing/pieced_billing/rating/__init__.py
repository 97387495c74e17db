"""Rating: from what counts of a tenant to the lines of its bill. Pure."""
