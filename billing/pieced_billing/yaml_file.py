"""A YAML file that people write, as values that know their place in it.

Scalars keep their text: 49.90 stays 49.90 and never passes through a float. Whoever asks for a value says what it has
to be, and a wrong one is refused with its line.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import ClassVar, Final

import yaml

from pieced_billing.errors import Refused

_TAG: Final = "tag:yaml.org,2002:"
_NUMBER: Final = re.compile(r"[0-9]+(?:\.([0-9]+))?")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SCALARS: Final = frozenset(_TAG + name for name in ("str", "int", "float", "bool", "timestamp"))
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class BadFile(Refused):
    """A file that cannot be taken as it is; nothing of it was."""

    code: ClassVar[str] = "bad_file"


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a file, not yet judged."""

    file: str
    node: yaml.Node
    path: str
    """What it is called in messages, such as `packages: x: daily_price_chf`."""

    def refused(self, reason: str) -> BadFile:
        """The refusal of this value, with the file and the line."""
        return BadFile(f"{self.file}, line {self.node.start_mark.line + 1}: {self.path} {reason}.")

    def is_null(self) -> bool:
        """Whether the value is null, written out or left empty."""
        return self.node.tag == _TAG + "null"

    def mapping(self, known: Collection[str] | None = None) -> dict[str, "Value"]:
        """The entries of a mapping by key; with `known`, no other key is allowed."""
        if not isinstance(self.node, yaml.MappingNode) or self.node.tag != _TAG + "map":
            raise self.refused("must be a mapping (`key: value`)")
        found: dict[str, Value] = {}
        for key_node, value_node in self.node.value:
            called = f"the key {key_node.value!r}" if isinstance(key_node, yaml.ScalarNode) else "a key"
            key = Value(self.file, key_node, f"{called} of {self.path}")
            name = key.string()
            if known is not None and name not in known:
                raise key.refused(f"is not known; there are {', '.join(known)}")
            if name in found:
                raise key.refused("is there twice")
            found[name] = Value(self.file, value_node, f"{self.path}: {name}" if self.path != "the file" else name)
        return found

    def sequence(self) -> list["Value"]:
        """The entries of a list."""
        if not isinstance(self.node, yaml.SequenceNode) or self.node.tag != _TAG + "seq":
            raise self.refused("must be a list (`- …`)")
        return [Value(self.file, node, self.path) for node in self.node.value]

    def string(self) -> str:
        """Text that is a string in YAML: an id, which without quotes might be a number."""
        if self.node.tag != _TAG + "str" or not self.node.value:
            raise self.refused('must be a string; write digits in quotes, such as "310001"')
        return self._printable()

    def text(self) -> str:
        """Text of any scalar, as it is written: a postcode needs no quotes."""
        if self._scalar() is None:
            raise self.refused("must be text")
        return self._printable()

    def block(self) -> str:
        """Text that may have several lines."""
        text = self._scalar()
        if text is None:
            raise self.refused("must be text")
        return text

    def boolean(self) -> bool:
        """True or false."""
        if self.node.tag != _TAG + "bool":
            raise self.refused("must be true or false")
        return bool(self.node.value.lower() in ("true", "yes", "on"))

    def date(self) -> date:
        """A calendar date, YYYY-MM-DD."""
        text = self._scalar() or ""
        if _DATE.fullmatch(text):
            try:
                return date.fromisoformat(text)
            except ValueError:
                pass
        raise self.refused("must be a date such as 2026-03-15")

    def number(self, places: int, largest: Decimal) -> Decimal:
        """A number from 0 to `largest` with at most so many decimals, taken by its text."""
        text = self._scalar() or ""
        match = _NUMBER.fullmatch(text)
        if match is None:
            raise self.refused("must be a number that is not negative, written with digits and a point, such as 49.90")
        if len(match[1] or "") > places:
            raise self.refused(f"has more than {places} decimals")
        if Decimal(text) > largest:
            raise self.refused(f"must be at most {largest}")
        return Decimal(text)

    def _scalar(self) -> str | None:
        """The text of a scalar that is not null."""
        return str(self.node.value) if self.node.tag in _SCALARS else None

    def _printable(self) -> str:
        text: str = self.node.value
        if not all(character.isprintable() for character in text):
            raise self.refused("must be one line without control characters")
        return text


def parse(content: bytes, file: str) -> Value:
    """The one document of a file; `file` is its name in messages. Raises BadFile where it is no YAML or empty."""
    try:
        node = yaml.compose(content.decode("utf-8-sig"), Loader=_LOADER)
    except UnicodeDecodeError:
        raise BadFile(f"{file} is not text in UTF-8.") from None
    except yaml.MarkedYAMLError as error:
        line = "" if error.problem_mark is None else f", line {error.problem_mark.line + 1}"
        raise BadFile(f"{file}{line}: this is no YAML ({error.problem}).") from None
    except yaml.YAMLError as error:
        raise BadFile(f"{file}: this is no YAML ({str(error).splitlines()[0]}).") from None
    if node is None:
        raise BadFile(f"{file} is empty.")
    return Value(file, node, "the file")
