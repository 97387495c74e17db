"""Keys and signed statements: what a key signed is believed, and nothing else is."""

from base64 import b64decode
from pathlib import Path

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from pieced_billing.errors import UsageError
from pieced_billing.ledger.seal_keys import private_key, public_key
from pieced_billing.ledger.signed_line import BadSeal, signed_line, verified_statement

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
FIELDS = {"sealed_at": "2026-03-01T09:00:00Z", "last": {"INV-2026": "17"}}
LINE = signed_line("numbers", FIELDS, KEY)
NO_ENCRYPTION = NoEncryption()


def pem(key: Ed25519PrivateKey | Ed448PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NO_ENCRYPTION)


def public_pem(key: Ed25519PrivateKey | Ed448PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def test_what_was_signed_comes_back() -> None:
    assert verified_statement("numbers", LINE, KEY.public_key(), "it") == {"kind": "numbers", **FIELDS}


def test_the_signature_is_over_the_statement_as_it_stands_in_the_line() -> None:
    """So that whoever has the line and a key needs no program of ours."""
    entry = orjson.loads(LINE)
    _, _, statement = LINE.rstrip(b"}\n").partition(b'"statement":')
    KEY.public_key().verify(b64decode(entry["signature"]), statement + b"}")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (LINE.replace(b"17", b"16"), "is not signed with this key"),
        (signed_line("numbers", FIELDS, Ed25519PrivateKey.from_private_bytes(bytes(32))), "is not signed with this"),
        (signed_line("ledger", FIELDS, KEY), "states ledger, not numbers"),
        (LINE[:-20], "is no seal"),
        (b"", "is no seal"),
        (b"[]\n", "is no seal"),
        (b'{"statement": "x", "signature": "x"}', "is no seal"),
        (b'{"statement": {"kind": "numbers"}, "signature": "\xc3\xa9"}', "is no seal"),
    ],
)
def test_what_was_not_signed_with_the_key_as_it_is_is_not_believed(line: bytes, reason: str) -> None:
    with pytest.raises(BadSeal, match=f"^it {reason}"):
        verified_statement("numbers", line, KEY.public_key(), "it")


def test_keys_are_read_from_the_files_that_openssl_writes(tmp_path: Path) -> None:
    private, public = tmp_path / "private.pem", tmp_path / "public.pem"
    private.write_bytes(pem(KEY))
    public.write_bytes(public_pem(KEY))
    line = signed_line("numbers", FIELDS, private_key(private))
    assert line == LINE
    for path in (private, public):
        assert verified_statement("numbers", line, public_key(path), "it")["last"] == FIELDS["last"]


OTHER = Ed448PrivateKey.generate()
LOCKED = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))


@pytest.mark.parametrize("content", [b"", b"no key", pem(OTHER), LOCKED, public_pem(KEY), b"\xff\x00"])
def test_another_file_is_no_private_key(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"key\.pem is no Ed25519 private key without a password"):
        private_key(path)


@pytest.mark.parametrize("content", [b"", b"no key", public_pem(OTHER), b"\xff\x00"])
def test_another_file_is_no_public_key(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"key\.pem is no Ed25519 public key"):
        public_key(path)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for read in (private_key, public_key):
        with pytest.raises(UsageError, match=r"absent\.pem cannot be read: No such file or directory"):
            read(tmp_path / "absent.pem")
        with pytest.raises(UsageError, match="cannot be read: Is a directory"):
            read(tmp_path)


def test_a_key_in_place_of_its_file_is_refused_and_not_repeated() -> None:
    for read in (private_key, public_key):
        with pytest.raises(UsageError, match="is the key itself") as refused:
            read(Path(pem(KEY).decode()))
        assert pem(KEY).decode().splitlines()[1] not in str(refused.value)
