"""Once numbers are sealed no run goes without the key: it would not know what is sealed, and give it again."""

from pieced_billing.errors import Refused
from pieced_billing.store.connections import Connection


class SealKeyRequired(Refused):
    """A run of a database whose numbers are sealed has no key."""

    code = "seal_key_required"

    def __init__(self) -> None:
        super().__init__(
            "The invoice numbers of this database are sealed, and a run without the key could give them again; "
            "name its file by --seal-key or PIECED_SEAL_KEY."
        )


class SealUnknown(Refused):
    """Something is to be sent from a database whose numbers are sealed, and there is no key to tell which are."""

    code = "seal_key_required"

    def __init__(self) -> None:
        super().__init__(
            "The invoice numbers of this database are sealed, and without the key, public or private, nobody can tell "
            "which of them may be sent; name its file by --seal-key or PIECED_SEAL_KEY."
        )


def numbers_are_sealed(connection: Connection) -> bool:
    """Whether numbers were ever sealed; an invoice that can be seen was given its number before this is read."""
    with connection.transaction():
        return _is_required(connection)


def require_seal(connection: Connection) -> None:
    """Note that numbers are sealed; `connection` must not be inside a transaction."""
    with connection.transaction():
        if not _is_required(connection):
            connection.execute("UPDATE billing_settings SET numbers_sealed = true")


def refuse_if_sealed(connection: Connection) -> None:
    """Raise SealKeyRequired if numbers were ever sealed; `connection` must not be inside a transaction."""
    with connection.transaction():
        if _is_required(connection):
            raise SealKeyRequired


def _is_required(connection: Connection) -> bool:
    row = connection.execute("SELECT numbers_sealed FROM billing_settings").fetchone()
    assert row is not None
    return bool(row[0])
