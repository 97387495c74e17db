"""The engine's answer to the oracle's question: interchange formats in, document out, no database in between."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from pieced_billing.calendar import Month, MonthDays, to_microseconds
from pieced_billing.invoicing.draft import draft
from pieced_billing.invoicing.month import BillingMonth
from pieced_billing.ledger.events import Moment
from pieced_billing.ledger.history import TenantHistory, Used
from pieced_billing.parties.entries import TermsEntry, terms_additions
from pieced_billing.parties.terms import COUNTRY, VAT_POSTURE, PartyTerms
from pieced_billing.prices.book import PriceBook
from pieced_billing.prices.entries import PriceEntry, price_additions
from pieced_billing.prices.versions import Version, Versions
from tests.oracle.bill import Books, Question


def document(books: Books, question: Question) -> dict[str, Any]:
    """The engine's draft; of a warning only code and tenant, as the oracle gives them."""
    as_of = None if question.as_of is None else _microseconds(question.as_of)
    days = MonthDays(Month.parse(question.month), ZoneInfo(question.zone))
    month = BillingMonth(days, price_book(books), question.billing_start, as_of)
    answer = draft(month, question.org, histories(books, question.org), terms(books, question.org)).document()
    warnings = dict.fromkeys((warning["code"], warning["tenant"]) for warning in answer["warnings"])  # type: ignore[attr-defined]
    return {**answer, "warnings": [{"code": code, "tenant": tenant} for code, tenant in warnings]}


def price_book(books: Books) -> PriceBook:
    """The book after applying every entry as a file of its own, so that the last recorded decides."""
    book = PriceBook()
    files: list[tuple[str | None, Mapping[str, Any]]] = [(None, entry) for entry in books.platform]
    files += [(package, entry) for package, entries in books.packages.items() for entry in entries]
    for package, entry in files:
        entries = [
            PriceEntry(package, name, entry.get("from"), _decimal(value))
            for name, value in entry.items()
            if name != "from"
        ]
        book = recorded(book, price_additions(book, entries, ()))
    return book


def terms(books: Books, org: str) -> PartyTerms | None:
    """The organisation's terms after applying its entries in order, or None without a configuration."""
    applied = [entry for entry in books.orgs if entry["org"] == org]
    if not applied:
        return None
    own = PartyTerms()
    for entry in applied:
        entries = [TermsEntry(name, entry.get("from"), entry.get(name)) for name in (COUNTRY, VAT_POSTURE)]
        for name, valid_from, value in terms_additions(own, entries, ()):
            added = Version(valid_from, value)
            if name == COUNTRY:
                own = PartyTerms(own.country.with_versions(added), own.vat_posture)
            else:
                own = PartyTerms(own.country, own.vat_posture.with_versions(added))
    return own


def histories(books: Books, org: str) -> list[TenantHistory]:
    """What the ledger holds after importing the lines: a repeat is skipped, `seq` is the order of the lines."""
    first_told: dict[tuple[object, ...], Mapping[str, Any]] = {}
    for line in books.lines:
        first_told.setdefault(_identity(line), line)
    kept = list(first_told.values())
    uids = [line["uid"] for line in kept if line["kind"] == "created" and line["org"] == org]
    return [_history(uid, [line for line in kept if line["uid"] == uid]) for uid in uids]


def _history(uid: str, lines: Sequence[Mapping[str, Any]]) -> TenantHistory:
    at = {line["kind"]: _microseconds(line["at"]) for line in lines if line["kind"] in {"created", "deleted"}}
    return TenantHistory(
        uid=uid,
        tenant=next(line["tenant"] for line in lines if line["kind"] == "created"),
        created_at=at["created"],
        deleted_at=at.get("deleted"),
        moments=[
            Moment(_microseconds(line["at"]), seq, line["kind"], line.get("package", ""))
            for seq, line in enumerate(lines)
            if line["kind"] in {"enabled", "disabled", "suspended", "resumed"}
        ],
        usage=[
            Used(_microseconds(line["at"]), line["meter"], Decimal(line["quantity"]))
            for line in lines
            if line["kind"] == "usage"
        ],
    )


def _identity(line: Mapping[str, Any]) -> tuple[object, ...]:
    if line["kind"] == "usage":
        return (line.get("source", "import"), line["id"])
    return (line["uid"], line["kind"], line.get("package"), _microseconds(line["at"]))


def recorded(book: PriceBook, additions: Sequence[PriceEntry]) -> PriceBook:
    """The book with these entries recorded after all others."""
    platform = dict(book.platform)
    packages = {package: dict(fields) for package, fields in book.packages.items()}
    for package, name, valid_from, value in additions:
        fields = platform if package is None else packages.setdefault(package, {})
        fields[name] = fields.get(name, Versions()).with_versions(Version(valid_from, value))
    return PriceBook(platform, packages)


def _decimal(value: object) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _microseconds(text: str) -> int:
    return to_microseconds(datetime.fromisoformat(text))
