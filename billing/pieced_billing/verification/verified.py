"""What a verification says: how much was looked at, and what is not as it should be."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from pieced_billing.verification.certificate import Certificate
from pieced_billing.verification.differences import Difference

SHOWN: Final = 1000
"""So many differences are kept; of more only their number is."""


@dataclass(slots=True)
class Verified:
    """How much was looked at, and what differs; `unproved` are the documents from before proofs were kept.

    `certificate` is what can be certified of it where all documents were looked at and nothing differs.
    """

    documents: int = 0
    unproved: int = 0
    tenants: int = 0
    found: int = 0
    differences: list[Difference] = field(default_factory=list)
    certificate: Certificate | None = None

    def note(self, found: Iterable[Difference]) -> None:
        """Count differences and keep the first."""
        for one in found:
            self.found += 1
            if len(self.differences) < SHOWN:
                self.differences.append(one)

    def add(self, other: "Verified") -> None:
        """Count what was found of other documents."""
        self.documents += other.documents
        self.unproved += other.unproved
        self.tenants += other.tenants
        self.found += other.found
        self.differences += other.differences[: SHOWN - len(self.differences)]

    def document(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {
            "documents": self.documents,
            "unproved": self.unproved,
            "tenants": self.tenants,
            "found": self.found,
            "differences": [one.document() for one in self.differences],
        }
