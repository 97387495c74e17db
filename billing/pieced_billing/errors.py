"""What can go wrong that is not a bug, and who deals with it.

    Refused       the input contradicts a rule or what is already recorded: nothing was changed, exit status 1
    Unavailable   an outage of the database or the cluster: the caller retries, a command ends with exit status 1
    UsageError    a command, an option or an environment variable is written wrong, exit status 2

Every message is one sentence (or a list of them) for a person and holds no secret. Only a process boundary turns these
into an exit status; nobody in between catches them. A bug is an assertion.
"""

from typing import ClassVar


class Refused(Exception):
    """A domain rule says no; `code` is stable and names the rule for programs."""

    code: ClassVar[str] = "refused"


class Unavailable(Exception):
    """Something outside of us did not answer; the same call may succeed later."""


class UsageError(Exception):
    """What was asked for is written wrong: an option, a file name, a URL in the environment."""
