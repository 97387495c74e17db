"""The words of an invoice in each language of `parties.organisation.LANGUAGES`."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Words:
    """What stands on an invoice in one language; braces stand for what is filled in."""

    titles: dict[str, str]
    """By the kind of document."""
    issued_on: str
    credited_invoice: str
    reason: str
    due_on: str
    period: str
    customer: str
    customer_vat_number: str
    purchase_order: str
    columns: tuple[str, str, str, str, str, str]
    """Headings of the lines: description, service period, quantity, unit price, VAT in percent, amount in CHF."""
    subtotal: str
    vat_columns: tuple[str, str, str]
    """Headings of the VAT table: rate, net amount, tax."""
    total: str
    payable: str
    nothing_payable: str
    credited: str
    account: str
    vat_number: str
    page_of: str
    charges: dict[str, str]
    """Names of the kinds of line."""
    units: dict[str, tuple[str, str]]
    """A quantity of one and of several, by unit; a unit that is not here is counted without a name."""
    month_share: tuple[str, str]
    """Days of a month that count: one, and several."""
    adjusted: str
    """What an adjustment puts right: how much was billed before and should have been."""
    carried: str
    """What a line of an earlier month has added, which was too little to be billed then."""
    postures: dict[str, str]
    """Why there is no VAT, by posture."""


WORDS: Final = {
    "de": Words(
        titles={"invoice": "Rechnung {number}", "credit_note": "Gutschrift {number}"},
        issued_on="Datum",
        credited_invoice="Zur Rechnung",
        reason="Grund",
        due_on="Zahlbar bis",
        period="Leistungszeitraum",
        customer="Kundennummer",
        customer_vat_number="Ihre MWST-Nummer",
        purchase_order="Ihre Bestellnummer",
        columns=("Leistung", "Zeitraum", "Menge", "Preis", "MWST %", "CHF"),
        subtotal="Zwischentotal {tenant}",
        vat_columns=("MWST %", "Netto CHF", "MWST CHF"),
        total="Total CHF",
        payable="Zahlbar bis {due_on} ohne Abzug.",
        nothing_payable="Es ist nichts zu bezahlen.",
        credited="Der Betrag wird Ihnen gutgeschrieben.",
        account="Konto {iban}, Referenz {reference}.",
        vat_number="MWST-Nr. {number}",
        page_of="Seite {page} von {pages}",
        charges={
            "tenant_setup_fee": "Einrichtung",
            "tenant_monthly_fee": "Monatsgebühr",
            "package_setup_fee": "Einrichtung Paket",
            "package_days": "Paket",
            "llm_spend": "Sprachmodelle, nach Verbrauch",
            "threema_messages": "Threema-Nachrichten",
            "adjustment": "Berichtigung",
        },
        units={"day": ("{} Tag", "{} Tage"), "CHF": ("CHF {}", "CHF {}")},
        month_share=("{} von {} Tagen", "{} von {} Tagen"),
        adjusted="(verrechnet {billed}, richtig {correct})",
        carried="(Übertrag aus {month})",
        postures={
            "export": "Leistung an einen Empfänger im Ausland, dort gilt sie als erbracht (Art. 8 Abs. 1 MWSTG): "
            "keine schweizerische Mehrwertsteuer.",
            "reverse_charge": "Steuerschuldnerschaft des Leistungsempfängers (Reverse Charge): "
            "die Mehrwertsteuer rechnet der Empfänger ab.",
            "exempt": "Von der schweizerischen Mehrwertsteuer befreit.",
        },
    ),
    "fr": Words(
        titles={"invoice": "Facture {number}", "credit_note": "Note de crédit {number}"},
        issued_on="Date",
        credited_invoice="Sur la facture",
        reason="Motif",
        due_on="Payable jusqu’au",
        period="Période de prestation",
        customer="Numéro de client",
        customer_vat_number="Votre numéro de TVA",
        purchase_order="Votre commande",
        columns=("Prestation", "Période", "Quantité", "Prix", "TVA %", "CHF"),
        subtotal="Sous-total {tenant}",
        vat_columns=("TVA %", "Net CHF", "TVA CHF"),
        total="Total CHF",
        payable="Payable jusqu’au {due_on}, sans déduction.",
        nothing_payable="Il n’y a rien à payer.",
        credited="Le montant est porté à votre crédit.",
        account="Compte {iban}, référence {reference}.",
        vat_number="N° TVA {number}",
        page_of="Page {page} sur {pages}",
        charges={
            "tenant_setup_fee": "Mise en service",
            "tenant_monthly_fee": "Abonnement mensuel",
            "package_setup_fee": "Mise en service du module",
            "package_days": "Module",
            "llm_spend": "Modèles de langage, selon consommation",
            "threema_messages": "Messages Threema",
            "adjustment": "Rectification",
        },
        units={"day": ("{} jour", "{} jours"), "CHF": ("CHF {}", "CHF {}")},
        month_share=("{} jour sur {}", "{} jours sur {}"),
        adjusted="(facturé {billed}, correct {correct})",
        carried="(report de {month})",
        postures={
            "export": "Prestation à un destinataire à l’étranger, où elle est réputée fournie (art. 8 al. 1 LTVA) : "
            "pas de TVA suisse.",
            "reverse_charge": "Autoliquidation (reverse charge) : la TVA est due par le destinataire.",
            "exempt": "Exonéré de la TVA suisse.",
        },
    ),
    "it": Words(
        titles={"invoice": "Fattura {number}", "credit_note": "Nota di credito {number}"},
        issued_on="Data",
        credited_invoice="Per la fattura",
        reason="Motivo",
        due_on="Pagabile entro il",
        period="Periodo della prestazione",
        customer="Numero cliente",
        customer_vat_number="Il vostro numero IVA",
        purchase_order="Il vostro ordine",
        columns=("Prestazione", "Periodo", "Quantità", "Prezzo", "IVA %", "CHF"),
        subtotal="Subtotale {tenant}",
        vat_columns=("IVA %", "Netto CHF", "IVA CHF"),
        total="Totale CHF",
        payable="Pagabile entro il {due_on} senza deduzioni.",
        nothing_payable="Non c’è nulla da pagare.",
        credited="L’importo vi viene accreditato.",
        account="Conto {iban}, riferimento {reference}.",
        vat_number="N. IVA {number}",
        page_of="Pagina {page} di {pages}",
        charges={
            "tenant_setup_fee": "Messa in servizio",
            "tenant_monthly_fee": "Canone mensile",
            "package_setup_fee": "Messa in servizio del pacchetto",
            "package_days": "Pacchetto",
            "llm_spend": "Modelli linguistici, a consumo",
            "threema_messages": "Messaggi Threema",
            "adjustment": "Rettifica",
        },
        units={"day": ("{} giorno", "{} giorni"), "CHF": ("CHF {}", "CHF {}")},
        month_share=("{} giorno su {}", "{} giorni su {}"),
        adjusted="(fatturato {billed}, corretto {correct})",
        carried="(riporto da {month})",
        postures={
            "export": "Prestazione a un destinatario all’estero, dove si considera fornita (art. 8 cpv. 1 LIVA): "
            "senza IVA svizzera.",
            "reverse_charge": "Inversione contabile (reverse charge): l’IVA è dovuta dal destinatario.",
            "exempt": "Esente dall’IVA svizzera.",
        },
    ),
    "en": Words(
        titles={"invoice": "Invoice {number}", "credit_note": "Credit note {number}"},
        issued_on="Date",
        credited_invoice="On invoice",
        reason="Reason",
        due_on="Due date",
        period="Service period",
        customer="Customer number",
        customer_vat_number="Your VAT number",
        purchase_order="Your purchase order",
        columns=("Service", "Period", "Quantity", "Price", "VAT %", "CHF"),
        subtotal="Subtotal {tenant}",
        vat_columns=("VAT %", "Net CHF", "VAT CHF"),
        total="Total CHF",
        payable="Payable by {due_on} without deduction.",
        nothing_payable="There is nothing to pay.",
        credited="The amount is credited to you.",
        account="Account {iban}, reference {reference}.",
        vat_number="VAT no. {number}",
        page_of="Page {page} of {pages}",
        charges={
            "tenant_setup_fee": "Setup",
            "tenant_monthly_fee": "Monthly fee",
            "package_setup_fee": "Package setup",
            "package_days": "Package",
            "llm_spend": "Language models, as used",
            "threema_messages": "Threema messages",
            "adjustment": "Adjustment",
        },
        units={"day": ("{} day", "{} days"), "CHF": ("CHF {}", "CHF {}")},
        month_share=("{} of {} days", "{} of {} days"),
        adjusted="(billed {billed}, correct {correct})",
        carried="(carried from {month})",
        postures={
            "export": "Supplied to a recipient abroad, deemed to be supplied there (Art. 8 para. 1 Swiss VAT Act): "
            "no Swiss VAT.",
            "reverse_charge": "Reverse charge: the recipient accounts for the VAT.",
            "exempt": "Exempt from Swiss VAT.",
        },
    ),
}
