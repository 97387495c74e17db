"""Prices: values with the dates from which they are in force."""
