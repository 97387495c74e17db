"""What was used: records of metered usage, kept once and read by day."""
