"""A signed statement: a line of JSON that has what is stated and its Ed25519 signature. Pure.

    {"signature":"…","statement":{"kind":"…",…}}

The signature, in base64, is over the statement as canonical JSON (RFC 8785: keys sorted, no spaces), in which every
value is text, or an object of texts. `kind` is signed with the rest, so that no statement of a key passes for one of
another kind by the same key.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from pieced_billing.errors import Refused


class BadSeal(Refused):
    """Something is no seal, or not one of the given key."""

    code = "bad_seal"


def signed_line(kind: str, fields: Mapping[str, object], key: Ed25519PrivateKey) -> bytes:
    """State `fields` and sign them; the line ends with a newline."""
    statement = {"kind": kind, **fields}
    signature = b64encode(key.sign(_canonical(statement))).decode()
    return _canonical({"signature": signature, "statement": statement}) + b"\n"


def verified_statement(kind: str, line: bytes, key: Ed25519PublicKey, source: str) -> dict[str, Any]:
    """What a line states, if it is of this kind and this key signed it; else BadSeal, which calls it `source`."""
    try:
        entry = orjson.loads(line)
        statement, signature = entry["statement"], b64decode(entry["signature"], validate=True)
        stated = statement["kind"]
        key.verify(signature, _canonical(statement))
    except (KeyError, TypeError, ValueError):
        raise BadSeal(f"{source} is no seal, which is a line of JSON with `statement` and `signature`.") from None
    except InvalidSignature:
        raise BadSeal(f"{source} is not signed with this key: it was changed, or another key signed it.") from None
    if stated != kind:
        raise BadSeal(f"{source} states {stated}, not {kind}.")
    return dict(statement)


def _canonical(value: Mapping[str, object]) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
