"""PostgreSQL servers of our own: the embedded one, and Debian's 15 to test against."""
