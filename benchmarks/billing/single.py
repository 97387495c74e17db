"""How long the draft of one organisation takes, as the portal asks for it: on a connection that is open."""

import random
import time

from benchmarks.billing.histories import MONTH, organisation
from pieced_billing.calendar import Month
from pieced_billing.invoicing.load import drafts
from pieced_billing.store.connections import connect

_TIMES = 1000


def seconds_of_single_drafts(url: str, organisations: int) -> list[float]:
    """The durations of many drafts of organisations taken at random, ascending."""
    choice = random.Random(20260401)
    durations = []
    with connect(url) as connection:
        for _ in range(_TIMES):
            org = organisation(choice.randrange(organisations))
            began_at = time.monotonic()
            found = list(drafts(connection, Month.parse(MONTH), [org]))
            durations.append(time.monotonic() - began_at)
            assert [draft.org for draft in found] == [org]
    return sorted(durations)
