"""The words of e-mails in each language of `parties.organisation.LANGUAGES`."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class MailWords:
    """What an e-mail says in one language; braces stand for what is filled in."""

    greeting: str
    closing: str
    attached: dict[str, str]
    """That the document is attached, by its kind."""
    deletion_subject: str
    deletion: str
    """That a suspended tenant is deleted, and how to keep it."""


MAIL_WORDS: Final = {
    "de": MailWords(
        greeting="Guten Tag",
        closing="Freundliche Grüsse",
        attached={
            "invoice": "Im Anhang finden Sie die Rechnung {number} für die Zeit vom {first} bis {last} über "
            "CHF {amount}.",
            "credit_note": "Im Anhang finden Sie die Gutschrift {number} für die Zeit vom {first} bis {last} über "
            "CHF {amount}.",
        },
        deletion_subject="{tenant}: Löschung aller Daten am {date}",
        deletion="{tenant} ist seit dem {since} stillgelegt. Am {date} um {time} Uhr werden {tenant} und alle Daten "
        "darin endgültig gelöscht.\n\nMöchten Sie {tenant} behalten, so verlangen Sie vorher die Wiederaufnahme. "
        "Andernfalls brauchen Sie nichts zu tun.",
    ),
    "fr": MailWords(
        greeting="Bonjour",
        closing="Meilleures salutations",
        attached={
            "invoice": "Vous trouverez en annexe la facture {number} pour la période du {first} au {last}, "
            "d’un montant de CHF {amount}.",
            "credit_note": "Vous trouverez en annexe la note de crédit {number} pour la période du {first} au {last}, "
            "d’un montant de CHF {amount}.",
        },
        deletion_subject="{tenant} : suppression de toutes les données le {date}",
        deletion="{tenant} est suspendu depuis le {since}. Le {date} à {time}, {tenant} et toutes ses données seront "
        "supprimés définitivement.\n\nSi vous souhaitez conserver {tenant}, demandez sa remise en service avant cette "
        "date. Sinon, vous n’avez rien à faire.",
    ),
    "it": MailWords(
        greeting="Buongiorno",
        closing="Cordiali saluti",
        attached={
            "invoice": "In allegato trovate la fattura {number} per il periodo dal {first} al {last}, "
            "per un importo di CHF {amount}.",
            "credit_note": "In allegato trovate la nota di credito {number} per il periodo dal {first} al {last}, "
            "per un importo di CHF {amount}.",
        },
        deletion_subject="{tenant}: cancellazione di tutti i dati il {date}",
        deletion="{tenant} è sospeso dal {since}. Il {date} alle {time} {tenant} e tutti i suoi dati saranno "
        "cancellati definitivamente.\n\nSe desiderate conservare {tenant}, chiedetene la riattivazione prima di tale "
        "data. In caso contrario non dovete fare nulla.",
    ),
    "en": MailWords(
        greeting="Dear customer",
        closing="Kind regards",
        attached={
            "invoice": "Please find attached invoice {number} for the period from {first} to {last}, "
            "amounting to CHF {amount}.",
            "credit_note": "Please find attached credit note {number} for the period from {first} to {last}, "
            "amounting to CHF {amount}.",
        },
        deletion_subject="{tenant}: all data will be deleted on {date}",
        deletion="{tenant} has been suspended since {since}. On {date} at {time}, {tenant} and all data in it will be "
        "deleted for good.\n\nIf you want to keep {tenant}, ask for it to be resumed before then. Otherwise there is "
        "nothing to do.",
    ),
}
