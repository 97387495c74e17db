"""The local stack: what `make setup`, `make up` and `make demo` run. Not part of the installed distribution."""
