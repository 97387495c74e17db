"""The keys of a seal: Ed25519, in PEM files as openssl writes them."""

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from pieced_billing.errors import UsageError


def private_key(path: Path) -> Ed25519PrivateKey:
    """The key that signs; UsageError for a file that has none, or one with a password."""
    content = _read(path)
    try:
        key = load_pem_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(
            f"{path} is no Ed25519 private key without a password; `openssl genpkey -algorithm ed25519` makes one."
        )
    return key


def public_key(path: Path) -> Ed25519PublicKey:
    """The key that verifies, from its own file or from that of the private key; UsageError for a file of neither."""
    content = _read(path)
    if b"PRIVATE KEY" in content:
        return private_key(path).public_key()
    try:
        key = load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError(f"{path} is no Ed25519 public key; `openssl pkey -pubout` writes that of a private one.")
    return key


def _read(path: Path) -> bytes:
    if "-----" in str(path):  # an error that repeats it would show the key
        raise UsageError("What names the key's file is the key itself; write it to a file and name that.")
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
