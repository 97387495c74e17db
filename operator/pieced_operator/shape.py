"""How much of the API server's JSON is read: whole objects, or of each only what a type has fields for."""

from typing import Final, Generic, TypeVar

import msgspec

T = TypeVar("T")


class Shape(Generic[T]):
    """Reads objects as `T`, a type of msgspec: alone, and as the items of a list."""

    def __init__(self, one: type[T]) -> None:
        self.one = msgspec.json.Decoder(one)
        self.listed = msgspec.json.Decoder(Listed[one])  # type: ignore[valid-type]


class ListMetadata(msgspec.Struct, rename="camel"):
    """Of which version a list is, and where it goes on if this is not all."""

    resource_version: str = ""
    following: str = msgspec.field(name="continue", default="")


class Listed(msgspec.Struct, Generic[T]):
    """A part of a LIST."""

    metadata: ListMetadata
    items: list[T]


class WatchEvent(msgspec.Struct):
    """A line of a watch: ADDED, MODIFIED, DELETED or BOOKMARK and an object, or ERROR and a Status."""

    type: str
    object: msgspec.Raw


class Status(msgspec.Struct):
    """What the API server says instead of an object."""

    code: int = 500


WATCH_EVENT: Final = msgspec.json.Decoder(WatchEvent)
STATUS: Final = msgspec.json.Decoder(Status)
