"""Lists as parameters: thousands of ids in one go, where the driver's own way looks at each of them several times."""

from collections.abc import Callable
from typing import Any

from psycopg.abc import Buffer
from psycopg.types.array import ListDumper


class FastListDumper(ListDumper):
    """Lists of texts without quotation marks and backslashes, and lists of integers; the driver does all others."""

    def _dump_list(self, obj: list[Any], tokens: list[Buffer], needs_quotes: Callable[[Buffer], object]) -> None:
        plain = _plain(obj)
        if plain is None:
            super()._dump_list(obj, tokens, needs_quotes)
        else:
            tokens.append(plain)


def _plain(values: list[Any]) -> bytes | None:
    """The array as PostgreSQL reads it; None where it is not as simple as that."""
    types = set(map(type, values))
    if types == {int}:
        return b"{%b}" % ",".join(map(str, values)).encode()
    if types == {str}:
        text = '","'.join(values)
        if "\\" not in text and "\0" not in text and text.count('"') == 2 * (len(values) - 1):
            return b'{"%b"}' % text.encode()
    return None
