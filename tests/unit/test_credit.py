"""Credit notes: what may be taken back of an invoice, and that every order of credits ends at nothing."""

import random
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest

from pieced_billing.calendar import Month
from pieced_billing.invoicing.credit import CannotCredit, Original, Remaining, Wanted, credit
from pieced_billing.invoicing.document import Invoice, Kind
from pieced_billing.money import distribute
from pieced_billing.parties.issuing_terms import IssuingTerms
from pieced_billing.parties.terms import VatPosture
from pieced_billing.rating.lines import Line
from pieced_billing.rating.vat import vat_totals

TODAY, ON = date(2026, 5, 2), date(2026, 3, 1)
SEVEN, EIGHT = Decimal("7.7"), Decimal("8.1")


def an_original(*amounts: str, rates: Sequence[Decimal] = ()) -> Original:
    """An invoice with a line of three days for each amount, nothing credited."""
    lines = [
        Line("acme", "6f1c", "package_days", "p", ON, ON, Decimal(3), "day", Decimal(1), rate, Decimal(amount), 7)
        for amount, rate in zip(amounts, rates or [EIGHT] * len(amounts), strict=True)
    ]
    return Original(
        invoice_id=7,
        number="INV-2026-000001",
        issued_by=IssuingTerms(),
        org="310001",
        month=Month(2026, 3),
        vat_posture=VatPosture.STANDARD,
        language="fr",
        recipient={"name": "Acme AG"},
        lines=tuple(Remaining(position, line, line.amount) for position, line in enumerate(lines, start=1)),
        vat={total.rate: total.amount for total in vat_totals(lines)},
        credit_notes=0,
    )


def after(original: Original, note: Invoice) -> Original:
    """What is left of an invoice after a credit note on it."""
    assert note.reversal is not None
    credited = dict(zip(note.reversal.positions, (line.amount for line in note.lines), strict=True))
    vat = note.content["vat"]
    assert isinstance(vat, list)
    taken = {Decimal(total["rate"]): Decimal(total["amount"]) for total in vat}
    return Original(
        **{
            name: getattr(original, name) for name in original.__slots__ if name not in ("lines", "vat", "credit_notes")
        },
        lines=tuple(one._replace(left=one.left + credited.get(one.position, 0)) for one in original.lines),
        vat={rate: amount + taken.get(rate, 0) for rate, amount in original.vat.items()},
        credit_notes=original.credit_notes + 1,
    )


def test_a_full_credit_takes_back_every_line_as_it_was_billed() -> None:
    original = an_original("19.32", "5.00", rates=[EIGHT, SEVEN])
    note = credit(original, Wanted(), "wrong price", TODAY)
    assert (note.kind, note.net, note.gross) == (Kind.CREDIT_NOTE, Decimal("-24.32"), Decimal("-26.27"))
    assert [(line.quantity, line.unit, line.unit_price, line.vat_rate, line.amount) for line in note.lines] == [
        (Decimal(-3), "day", Decimal(1), EIGHT, Decimal("-19.32")),
        (Decimal(-3), "day", Decimal(1), SEVEN, Decimal("-5.00")),
    ]
    assert note.reversal is not None
    assert (note.reversal.completes, note.reversal.positions) == (True, (1, 2))
    assert (note.content["credits"], note.content["reason"]) == ("INV-2026-000001", "wrong price")
    assert note.content["vat"] == [
        {"rate": "7.7", "net": "-5.00", "amount": "-0.39"},
        {"rate": "8.1", "net": "-19.32", "amount": "-1.56"},
    ]
    assert (note.language, note.recipient, note.issued_on) == ("fr", {"name": "Acme AG"}, TODAY)


def test_single_lines_and_amounts() -> None:
    original = an_original("10.00", "20.00", "30.00")
    note = credit(original, Wanted(positions=[3, 1]), "r", TODAY)
    assert [line.amount for line in note.lines] == [Decimal("-10.00"), Decimal("-30.00")]
    assert note.reversal is not None
    assert (note.reversal.positions, note.reversal.completes) == ((1, 3), False)
    assert [line["original_line"] for line in note.content["lines"]] == [1, 3]  # type: ignore[attr-defined]
    note = credit(original, Wanted(amount=Decimal("10.00")), "r", TODAY)
    assert [line.amount for line in note.lines] == [Decimal("-1.67"), Decimal("-3.33"), Decimal("-5.00")]
    assert {(line.quantity, line.unit) for line in note.lines} == {(Decimal(-1), "once")}
    assert note.gross == Decimal("-10.81")


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Wanted(positions=[4]), r"has no line 4; its lines are 1 to 2"),
        (Wanted(amount=Decimal("0.00")), r"more than CHF 0\.00"),
        (Wanted(amount=Decimal("30.01")), r"CHF 30\.01 is more than is left: CHF 30\.00 without VAT of INV-2026"),
        (Wanted([1], Decimal("10.01")), r"left: CHF 10\.00 without VAT of these lines of INV-2026-000001"),
    ],
)
def test_what_cannot_be_credited_is_said(wanted: Wanted, said: str) -> None:
    with pytest.raises(CannotCredit, match=said):
        credit(an_original("10.00", "20.00"), wanted, "r", TODAY)


def test_a_line_and_an_invoice_are_credited_once() -> None:
    original = an_original("10.00", "20.00")
    rest = after(original, credit(original, Wanted([1]), "r", TODAY))
    with pytest.raises(CannotCredit, match="Line 1 of INV-2026-000001 is credited in full already"):
        credit(rest, Wanted([1]), "r", TODAY)
    last = credit(rest, Wanted(), "r", TODAY)
    assert last.reversal is not None
    assert (last.revision, last.reversal.completes) == (2, True)
    with pytest.raises(CannotCredit, match="INV-2026-000001 is credited in full already"):
        credit(after(rest, last), Wanted(), "r", TODAY)


def test_no_more_is_given_back_than_the_invoice_has_with_its_negative_lines() -> None:
    original = an_original("100.00", "-60.00")
    with pytest.raises(CannotCredit, match=r"would be CHF 103\.24 .* what is left, CHF 43\.24"):
        credit(original, Wanted([1]), "r", TODAY)
    with pytest.raises(CannotCredit, match=r"would be CHF -64\.86"):
        credit(original, Wanted([2]), "r", TODAY)
    assert after(original, credit(original, Wanted(), "r", TODAY)).gross_left == 0


def test_any_sequence_of_credits_ends_at_nothing() -> None:
    chosen = random.Random(5)
    for _ in range(300):
        amounts = [f"{chosen.randint(1, 3000) / 100:.2f}" for _ in range(chosen.randint(1, 5))]
        left = an_original(*amounts, rates=[chosen.choice([SEVEN, EIGHT, Decimal(0)]) for _ in amounts])
        completed = False
        while not completed:
            open_lines = [one.position for one in left.lines if one.left]
            wanted = chosen.choice(
                [
                    Wanted([chosen.choice(open_lines)]),
                    Wanted(amount=chosen.randint(1, int(left.net_left * 100)) / Decimal(100)),
                ]
            )
            note = credit(left, wanted, "r", TODAY)
            assert note.net == sum(line.amount for line in note.lines)
            assert note.gross <= note.net <= 0
            left = after(left, note)
            assert all(0 <= one.left <= one.line.amount for one in left.lines)
            assert all(amount >= 0 for amount in left.vat.values())
            assert note.reversal is not None
            completed = note.reversal.completes
        assert {left.net_left, left.gross_left, *left.vat.values()} == {Decimal(0)}


def test_parts_of_a_given_total_sum_to_it_and_none_is_too_large() -> None:
    chosen = random.Random(6)
    for _ in range(500):
        weights = [Decimal(chosen.randint(-50, 200)) / 100 for _ in range(chosen.randint(1, 6))]
        whole = sum(weights)
        if whole <= 0:
            continue
        total = Decimal(chosen.randint(1, int(whole * 100))) / 100
        parts = distribute(total, weights)
        assert sum(parts) == total
        assert all(
            min(weight, Decimal(0)) <= part <= max(weight, Decimal(0))
            for part, weight in zip(parts, weights, strict=True)
        )
