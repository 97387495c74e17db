"""The `pieced` command: option parsing and output around the packages that do the work."""
