"""A certificate of invoices: signed and read back, refused where it is another thing, and broken by what was lost."""

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pieced_billing.invoicing.issued import CertifiedHole, Numbering
from pieced_billing.invoicing.number import NumberSeries
from pieced_billing.ledger.signed_line import BadSeal, signed_line
from pieced_billing.ledger.soundness import NumberRun
from pieced_billing.verification.certificate import KIND, Certificate, Issued

KEY, OTHER_KEY = (Ed25519PrivateKey.from_private_bytes(bytes([byte]) * 32) for byte in (1, 2))
NOW = datetime(2026, 11, 21, 23, tzinfo=UTC)
DATABASE, OTHER_DATABASE = UUID(int=1), UUID(int=2)
SERIES = NumberSeries("two words", "INV", 2026)


def issued(numbers: Sequence[int], changed: int | None = None) -> Issued:
    found = Issued()
    for number in numbers:
        row = {"number": f"INV-2026-{number:06}", "issuing_entity": "two words", "series": "INV"}
        found.add(row, b"changed" if number == changed else b"%d" % number)
    return found


def certificate(last: int, documents: Issued, database: UUID = DATABASE) -> Certificate:
    numbering = Numbering(SERIES, last, holes=[CertifiedHole(NumberRun(2, 3), NOW, NOW)])
    return Certificate.of(NOW, database, (last - 2, 0), [numbering], documents)


def test_a_certificate_is_read_as_it_was_signed() -> None:
    made = certificate(4, issued([4, 1]))
    read = Certificate.opened(made.signed(KEY), KEY.public_key(), "it")
    assert read == made
    digest = sha256(f"1 {b'1'.hex()}\n4 {b'4'.hex()}\n".encode()).hexdigest()
    assert read.series == {SERIES: (4, "2..3", digest)}


def test_another_key_another_statement_and_a_changed_byte_are_refused() -> None:
    line = certificate(4, issued([1, 4])).signed(KEY)
    wrong = (
        (line, OTHER_KEY),
        (line.replace(b'"2..3"', b'"2..4"'), KEY),
        (signed_line("invoice_numbers", {}, KEY), KEY),
        (signed_line(KIND, {"last": {}}, KEY), KEY),
        (b"", KEY),
    )
    for content, key in wrong:
        with pytest.raises(BadSeal, match="it "):
            Certificate.opened(content, key.public_key(), "it")


def test_later_documents_break_no_certificate_and_lost_or_changed_ones_do() -> None:
    then = certificate(4, issued([1, 4]))

    def broken(last: int, documents: Issued, database: UUID = DATABASE) -> list[str]:
        return [one.what for one in then.broken(certificate(last, documents, database), documents)]

    assert broken(6, issued([1, 4, 5, 6])) == []
    named = "INV 2026 of two words, certified at 2026-11-21T23:00:00Z"
    assert broken(6, issued([1, 4, 5, 6], changed=4)) == [f"{named}: documents 1 to 4"]
    assert broken(3, issued([1])) == [f"{named}: last number", f"{named}: documents 1 to 4"]
    assert broken(4, issued([1, 4]), OTHER_DATABASE) == ["database"]
    nothing = Certificate.of(NOW, DATABASE, (0, 0), [], Issued())
    assert len(list(then.broken(nothing, Issued()))) == 2
