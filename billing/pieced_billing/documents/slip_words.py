"""The words of a Swiss payment slip: those that the guidelines prescribe (QR-bill 2.3, annex of headings)."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class SlipWords:
    """The headings of receipt and payment part in one language; `code` describes the code to who cannot see it."""

    receipt: str
    payment_part: str
    account: str
    reference: str
    additional: str
    currency: str
    amount: str
    acceptance: str
    payable_by: str
    payable_by_hand: str
    separate: str
    code: str


SLIP_WORDS: Final = {
    "de": SlipWords(
        receipt="Empfangsschein",
        payment_part="Zahlteil",
        account="Konto / Zahlbar an",
        reference="Referenz",
        additional="Zusätzliche Informationen",
        currency="Währung",
        amount="Betrag",
        acceptance="Annahmestelle",
        payable_by="Zahlbar durch",
        payable_by_hand="Zahlbar durch (Name/Adresse)",
        separate="Vor der Einzahlung abzutrennen",
        code="Swiss QR Code mit den Angaben dieses Zahlteils",
    ),
    "fr": SlipWords(
        receipt="Récépissé",
        payment_part="Section paiement",
        account="Compte / Payable à",
        reference="Référence",
        additional="Informations supplémentaires",
        currency="Monnaie",
        amount="Montant",
        acceptance="Point de dépôt",
        payable_by="Payable par",
        payable_by_hand="Payable par (nom/adresse)",
        separate="A détacher avant le versement",
        code="Swiss QR Code avec les indications de cette section paiement",
    ),
    "it": SlipWords(
        receipt="Ricevuta",
        payment_part="Sezione pagamento",
        account="Conto / Pagabile a",
        reference="Riferimento",
        additional="Informazioni supplementari",
        currency="Valuta",
        amount="Importo",
        acceptance="Punto di accettazione",
        payable_by="Pagabile da",
        payable_by_hand="Pagabile da (nome/indirizzo)",
        separate="Da staccare prima del versamento",
        code="Swiss QR Code con i dati di questa sezione pagamento",
    ),
    "en": SlipWords(
        receipt="Receipt",
        payment_part="Payment part",
        account="Account / Payable to",
        reference="Reference",
        additional="Additional information",
        currency="Currency",
        amount="Amount",
        acceptance="Acceptance point",
        payable_by="Payable by",
        payable_by_hand="Payable by (name/address)",
        separate="Separate before paying in",
        code="Swiss QR Code with what this payment part says",
    ),
}
