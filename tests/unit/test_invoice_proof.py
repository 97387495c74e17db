"""The hashes of an invoice's proof are those that docs/formats.md describes: each is computed here by hand."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256

from pieced_billing.invoicing.proof import Basis, ChainEnd, KnownVersions, output_hash, usage_hash

END = ChainEnd(12, bytes(range(32)), 7)


def test_usage_is_hashed_by_meter_and_day_without_exponents() -> None:
    usage = {
        "threema_messages": {4: Decimal(12)},
        "llm_spend": {30: Decimal("1E-7"), 1: Decimal("1.50")},
    }
    lines = "llm_spend 2 1.50\nllm_spend 31 0.0000001\nthreema_messages 5 12\n"
    assert usage_hash(usage) == sha256(lines.encode()).digest()
    assert usage_hash({}) == sha256(b"").digest()


def test_a_row_is_hashed_as_a_json_array() -> None:
    row = (1, "INV-2026-000001", date(2026, 4, 1), Decimal("7.00"), None, True, datetime(2026, 4, 1, 5, tzinfo=UTC))
    text = '[1,"INV-2026-000001","2026-04-01","7.00",null,true,"2026-04-01T05:00:00+00:00"]'
    assert output_hash(row) == sha256(text.encode()).digest()


def test_evidence_names_every_tenant_of_the_month_and_of_an_adjustment_once() -> None:
    known = KnownVersions(3, b"p"), KnownVersions(2, b"i"), {"1": KnownVersions(4, b"t")}
    basis = Basis("Europe/Zurich", date(2026, 1, 1), *known, {"a": END})
    evidence = basis.of("1", {"a": {}, "new": {"llm_spend": {0: Decimal(1)}}}, ["a", "gone"])
    document = evidence.document()
    assert (document["zone"], document["billing_start"]) == ("Europe/Zurich", date(2026, 1, 1))
    assert document["issuers"] == {"last": 2, "sha256": "69"}
    assert (document["prices"], document["terms"]) == ({"last": 3, "sha256": "70"}, {"last": 4, "sha256": "74"})
    assert document["tenants"]["a"] == {
        "last_seq": 7,
        "links": 12,
        "chain": bytes(range(32)).hex(),
        "usage": sha256(b"").hexdigest(),
    }
    assert document["tenants"]["new"]["usage"] == sha256(b"llm_spend 1 1\n").hexdigest()
    assert (list(document["tenants"]), document["tenants"]["gone"]["links"]) == (["a", "new", "gone"], 0)
    assert basis.of("2", {}, []).terms.last_id == 0
    assert "issuers" not in replace(basis, issuers=None).of("1", {}, []).document()
