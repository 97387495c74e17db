"""The corrections in a file of usage: what each names may stand anywhere in the file, so they are judged at its end."""

from collections.abc import Iterable
from typing import Final

from pieced_billing.ledger.judge import Finding
from pieced_billing.ledger.lines import Line
from pieced_billing.store.connections import Connection

_TABLE: Final = """
CREATE TEMP TABLE corrections (line integer, source text, usage_id text, corrects text, uid text, meter text)
ON COMMIT DROP
"""
# When all is recorded: corrections of nothing or of themselves, and of what somebody else or another meter used.
_WRONG: Final = """
SELECT line, CASE
    WHEN old.usage_id IS NULL OR old.usage_id = new.usage_id
        THEN format('corrects names %s, which is the id of no other usage of source %s', new.corrects, new.source)
    ELSE format('corrects names %s, which is usage of another %s', new.corrects,
                CASE WHEN old.tenant_uid = new.uid THEN 'meter' ELSE 'UID' END) END
FROM corrections AS new LEFT JOIN usage_records AS old ON old.source = new.source AND old.usage_id = new.corrects
WHERE old.usage_id IS NULL OR old.usage_id = new.usage_id OR (old.tenant_uid, old.meter) <> (new.uid, new.meter)
ORDER BY line
"""


class UsageCorrections:
    """Keeps the corrections of a file in the database until all of it is recorded."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._any = False

    def take(self, numbered: Iterable[tuple[int, Line]]) -> None:
        """Keep those of some lines."""
        rows = [
            (number, line.source, line.usage_id, line.corrects, line.uid, line.package)
            for number, line in numbered
            if line.corrects is not None
        ]
        if not rows:
            return
        with self._connection.cursor() as cursor:
            if not self._any:
                cursor.execute(_TABLE)
                self._any = True
            with cursor.copy("COPY corrections FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)

    def wrong(self) -> list[Finding]:
        """Those of usage that is not there, of another UID or of another meter."""
        if not self._any:
            return []
        self._connection.execute("ANALYZE corrections")
        return [Finding(*row) for row in self._connection.execute(_WRONG)]
