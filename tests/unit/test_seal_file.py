"""A file of sealed heads is believed as a whole or not at all."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pieced_billing.errors import UsageError
from pieced_billing.ledger.chain import Chain
from pieced_billing.ledger.seal import KIND, Head, Seal
from pieced_billing.ledger.seal_file import SealFile
from pieced_billing.ledger.signed_line import BadSeal, signed_line

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
HEADS = [
    Head("u1", "acme", Chain(3, bytes(32), {"tenant_lifecycle_events": 1, "usage_records": 2})),
    Head("u2", None, Chain(1, b"\xff" * 32, {"usage_records": 1})),
]
LINES = [head.line() for head in HEADS]
SEAL = Seal("2026-03-01T09:00:00Z", 2, 4, sha256(b"".join(LINES)).hexdigest())


def sealed(seal: Seal = SEAL) -> bytes:
    return signed_line(KIND, seal.statement(), KEY)


def opened(folder: Path, content: bytes, key: Ed25519PrivateKey = KEY) -> SealFile:
    path = folder / "ledger.jsonl"
    path.write_bytes(content)
    return SealFile.open(path, key.public_key())


def test_a_file_gives_the_seal_and_the_heads(tmp_path: Path) -> None:
    file = opened(tmp_path, b"".join(LINES) + sealed())
    assert file.seal == SEAL
    assert list(file.heads()) == HEADS
    empty = opened(tmp_path, sealed(Seal(SEAL.sealed_at, 0, 0, sha256().hexdigest())))
    assert list(empty.heads()) == []


def test_what_becomes_of_the_file_after_it_was_believed_changes_nothing(tmp_path: Path) -> None:
    file = opened(tmp_path, b"".join(LINES) + sealed())
    file.path.write_bytes(LINES[1] + LINES[0])
    assert list(file.heads()) == HEADS
    file.path.unlink()
    assert list(file.heads()) == HEADS


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is no seal"),
        (b"".join(LINES), "is no seal"),
        (b"".join(LINES) + sealed()[:-30], "is no seal"),
        (b"\0" * 100, "is no seal"),
        (b"".join(LINES) + sealed().replace(b"09:00", b"08:00"), "is not signed with this key"),
        (LINES[0] + sealed(), "was changed: its lines are not those that were sealed at 2026-03-01T09:00:00Z"),
        (LINES[1] + LINES[0] + sealed(), "was changed"),
        (b"".join(LINES).replace(b"acme", b"acne") + sealed(), "was changed"),
        (b"".join(LINES) + b"\n" + sealed(), "was changed"),
        (b"".join(LINES) + sealed(replace(SEAL, tenants=3)), "was changed"),
        (b"".join(LINES) + signed_line("invoice_numbers", SEAL.statement(), KEY), "states invoice_numbers, not ledger"),
    ],
)
def test_a_file_that_is_not_as_it_was_sealed_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(BadSeal, match=reason) as refused:
        opened(tmp_path, content)
    assert str(tmp_path / "ledger.jsonl") in str(refused.value)


def test_a_file_of_another_key_is_refused(tmp_path: Path) -> None:
    other = Ed25519PrivateKey.from_private_bytes(bytes(32))
    with pytest.raises(BadSeal, match="is not signed with this key: it was changed, or another key signed it"):
        opened(tmp_path, b"".join(LINES) + sealed(), other)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"absent\.jsonl cannot be read: No such file or directory\."):
        SealFile.open(tmp_path / "absent.jsonl", KEY.public_key())
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        SealFile.open(tmp_path, KEY.public_key())
