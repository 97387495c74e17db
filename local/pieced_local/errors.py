"""What is in the way of the local stack. Standard library only."""


class LocalError(Exception):
    """Something stops us from going on; its text is for the person at the terminal."""
