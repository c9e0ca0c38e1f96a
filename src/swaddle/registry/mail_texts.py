"""What a mail says: that there is something, never what. Pure.

No name of a file, a person or a submitter, no count, no id: whoever reads the mail learns that an organisation uses
this exchange. The rest is behind the keys of whom it is for. Every text is here, in each language; nothing is filled in
but the words of a reason, from this table too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from swaddle.errors import UsageFault

LANGUAGES = ("en", "fr")
RECEIVED, REFUSED, REPORT, EXPIRING, LOST = "received", "refused", "report", "expiring", "lost"
KINDS = (RECEIVED, REFUSED, REPORT, EXPIRING, LOST)

_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"  # RFC 5321 dot-string, no quoting, no space
    r"@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)


class AddressUnusable(UsageFault):
    """Not the form of one mail address."""

    code = "SWD-REG-63"
    what = "this is not one mail address"
    why = "it must be of the form name@host, at most 254 letters, without quotes, spaces, names or line breaks"
    fix = "give one plain address; for several people, one that your mail system passes on to them"


@dataclass(frozen=True)
class Text:
    """A subject and a body in one language; `{reason}` in the body stands for the words of a reason."""

    subject: str
    body: str


def check_address(address: str) -> str:
    """The address, if it is one and can break nothing.

    Raises:
        AddressUnusable: it is not.
    """
    if len(address) > 254 or not _ADDRESS.fullmatch(address) or len(address.rpartition("@")[0]) > 64:
        raise AddressUnusable
    return address


def text_of(kind: str, language: str, reason: str | None) -> Text:
    """The mail of a kind; a language that there is none of is English, a reason that is unknown is a general one."""
    texts = TEXTS.get(language, TEXTS["en"])
    words = REASONS.get(language, REASONS["en"])
    text = texts[kind]
    signed = f"{text.body}\n\n{FOOTERS.get(language, FOOTERS['en'])}\n"
    return Text(text.subject, signed.replace("{reason}", words.get(reason or "", words["other"])))


def reason_of(code: str | None) -> str:
    """The general reason for an error's code; a refusal without one is for the rows of the file."""
    return "rows" if code is None else REASON_OF_CODE.get(code, "other")


REASON_OF_CODE = {"SWD-REG-31": "large"}

REASONS = {
    "en": {
        "rows": "too many of its rows have errors",
        "large": "it is larger than the registry takes in one piece",
        "unreadable": "it did not arrive whole, or could not be opened",
        "other": "it is not in a form that the registry can read",
    },
    "fr": {
        "rows": "trop de lignes comportent des erreurs",
        "large": "il est plus volumineux que ce que le registre accepte en une fois",
        "unreadable": "il n'est pas arrivé entier ou n'a pas pu être ouvert",
        "other": "sa forme n'est pas de celles que le registre sait lire",
    },
}

TEXTS = {
    "en": {
        RECEIVED: Text(
            "Registry exchange: received",
            "The registry has received and stored what you sent.\n"
            "Your receipt waits for you: `swaddle status`, or the folder answers/ of the SFTP door.",
        ),
        REFUSED: Text(
            "Registry exchange: not taken",
            "The registry could not take what you sent: {reason}.\n"
            "The report says what to mend: `swaddle report`, or the folder answers/ of the SFTP door.\n"
            "Please mend it at its source and send it again.",
        ),
        REPORT: Text(
            "Registry exchange: a report is ready",
            "A report for you is ready. It is sealed so that only you can open it:"
            " `swaddle inbox`, then `swaddle get`.",
        ),
        EXPIRING: Text(
            "Registry exchange: a report waits and will expire",
            "A report for you has not been fetched and will be destroyed in about three days.\n"
            "Fetch it with `swaddle inbox` and `swaddle get`, or from the folder answers/ of the SFTP door.",
        ),
        LOST: Text(
            "Registry exchange: please send again",
            "Something that you sent did not reach the registry and is no longer held.\n"
            "Please send it again. With Swaddle, run `swaddle send`: it sends again what has no receipt.",
        ),
    },
    "fr": {
        RECEIVED: Text(
            "Échange avec le registre : reçu",
            "Le registre a reçu et enregistré votre envoi.\n"
            "Votre accusé de réception vous attend : `swaddle status`, ou le dossier answers/ de la porte SFTP.",
        ),
        REFUSED: Text(
            "Échange avec le registre : refusé",
            "Le registre n'a pas pu accepter votre envoi : {reason}.\n"
            "Le rapport dit ce qu'il faut corriger : `swaddle report`, ou le dossier answers/ de la porte SFTP.\n"
            "Veuillez corriger à la source et envoyer de nouveau.",
        ),
        REPORT: Text(
            "Échange avec le registre : un rapport est prêt",
            "Un rapport vous attend. Il est scellé et vous seuls pouvez l'ouvrir :"
            " `swaddle inbox`, puis `swaddle get`.",
        ),
        EXPIRING: Text(
            "Échange avec le registre : un rapport va expirer",
            "Un rapport n'a pas été retiré et sera détruit dans trois jours environ.\n"
            "Retirez-le avec `swaddle inbox` et `swaddle get`, ou dans le dossier answers/ de la porte SFTP.",
        ),
        LOST: Text(
            "Échange avec le registre : veuillez envoyer de nouveau",
            "Un de vos envois n'est pas parvenu au registre et n'est plus conservé.\n"
            "Veuillez l'envoyer de nouveau. Avec Swaddle, lancez `swaddle send` :"
            " ce qui n'a pas d'accusé de réception est renvoyé.",
        ),
    },
}

FOOTERS = {
    "en": (
        "This message is sent by a machine and never asks for a password or a file.\n"
        "It says nothing of what was sent, so that it may pass through ordinary mail."
    ),
    "fr": (
        "Ce message est envoyé par une machine et ne demande jamais de mot de passe ni de fichier.\n"
        "Il ne dit rien de ce qui a été envoyé, afin de pouvoir passer par le courrier ordinaire."
    ),
}
