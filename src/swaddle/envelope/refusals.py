"""Every way in which the envelope refuses: one class per line of the defect table of docs/spec/envelope.md, section 6.

`defect` is the table's word and the vectors' `expect`; code, word and class never change meaning once released.
Nothing from outside stands in a text: no value, name, key or id.
"""

from __future__ import annotations

from typing import ClassVar

from swaddle.errors import FileFault, IntegrityFault, SettingsFault


class EnvelopeRefused(IntegrityFault):
    """Something of an envelope does not hold; nothing of it may be used."""

    code = "SWD-ENV-00"
    defect: ClassVar[str] = "refused"
    what = "this transfer is refused"
    fix = "use nothing of it; ask the sender to send it again"


class CutShort(EnvelopeRefused):
    """Segments are missing at either end, or the body stops early."""

    code = "SWD-ENV-01"
    defect = "cut-short"
    why = "its body is shorter than its manifest says"


class PartChanged(EnvelopeRefused):
    """A part is not the one that was signed: bytes changed, swapped, duplicated or injected."""

    code = "SWD-ENV-02"
    defect = "part-changed"
    why = "a part of its body is not the one that was signed"


class HeaderChanged(EnvelopeRefused):
    """The sealed header is not the one whose digest was signed."""

    code = "SWD-ENV-03"
    defect = "header-changed"
    why = "its header is not the one that was signed"


class WrongCore(EnvelopeRefused):
    """The header or description was sealed for another core, or to another key under this key's name."""

    code = "SWD-ENV-04"
    defect = "wrong-core"
    why = "its header or description does not open under this manifest"


class WrongRecipient(EnvelopeRefused):
    """It was sealed to a key that this reader does not hold (any more)."""

    code = "SWD-ENV-05"
    defect = "wrong-recipient"
    what = "this transfer cannot be opened"
    why = "it was sealed to a key that is not here, or not here any more"
    fix = "ask the sender to send it again"


class WrongSigner(EnvelopeRefused):
    """The signature is by a key that may not sign this."""

    code = "SWD-ENV-06"
    defect = "wrong-signer"
    why = "it is signed by a key that is not enrolled for it"
    fix = "use nothing of it; ask by telephone who sent it"


class Replayed(EnvelopeRefused):
    """A transfer id that was met before."""

    code = "SWD-ENV-07"
    defect = "replayed"
    why = "a transfer of this id was met before"
    fix = "nothing to do if the first one was taken in; else ask the sender"


class TrailingBytes(EnvelopeRefused):
    """The body goes on behind its end."""

    code = "SWD-ENV-08"
    defect = "trailing-bytes"
    why = "its body goes on behind the end that its manifest gives"


class EditList(EnvelopeRefused):
    """The header holds an edit list, which would leave out or reorder what was signed."""

    code = "SWD-ENV-09"
    defect = "edit-list"
    why = "its header holds an edit list"


class DataKeys(EnvelopeRefused):
    """Not exactly one data key is readable."""

    code = "SWD-ENV-10"
    defect = "data-keys"
    why = "its header does not hold exactly one readable data key"


class HeaderMalformed(EnvelopeRefused):
    """The Crypt4GH header breaks its format or a cap."""

    code = "SWD-ENV-11"
    defect = "header-malformed"
    why = "its header breaks the format: {reason}"


class ManifestMalformed(EnvelopeRefused):
    """The manifest breaks its format or contradicts itself."""

    code = "SWD-ENV-12"
    defect = "manifest-malformed"
    why = "its manifest breaks the format: {reason}"


class DescriptionMalformed(EnvelopeRefused):
    """The description breaks its format or contradicts the manifest."""

    code = "SWD-ENV-13"
    defect = "description-malformed"
    why = "its description breaks the format: {reason}"


class SegmentUnauthentic(EnvelopeRefused):
    """A segment does not authenticate although the signed digests agree: the sender sealed it wrongly."""

    code = "SWD-ENV-14"
    defect = "segment-unauthentic"
    why = "a segment does not open with its data key although the signed digests agree"


class DescriptionChanged(EnvelopeRefused):
    """The sealed description is not the one whose digest was signed."""

    code = "SWD-ENV-15"
    defect = "description-changed"
    why = "its description is not the one that was signed"


class SignatureInvalid(EnvelopeRefused):
    """The signature breaks its format or does not hold under the key it names."""

    code = "SWD-ENV-16"
    defect = "signature-invalid"
    what = "a signed statement is refused"
    why = "its signature does not hold"
    fix = "use nothing of it; ask for it again"


class NotAPack(EnvelopeRefused):
    """The body should be a pack and breaks its format."""

    code = "SWD-ENV-27"
    defect = "not-a-pack"
    why = "its body is not a pack of files: {reason}"


class StatementMalformed(IntegrityFault):
    """A certificate or an intake statement breaks its format."""

    code = "SWD-ENV-17"
    what = "a statement of the registry is refused"
    why = "it breaks the format: {reason}"
    fix = "send nothing to this registry until its operator has explained it"


class WrongRoot(IntegrityFault):
    """The certificate is under another root than the one that the invitation pinned."""

    code = "SWD-ENV-18"
    what = "a certificate of the registry is refused"
    why = "it is under another root key than the one in the invitation"
    fix = "send nothing; call the registry by telephone: somebody may stand between you and it"


class NotInForce(IntegrityFault):
    """A certificate or intake statement is expired or not yet in force."""

    code = "SWD-ENV-19"
    what = "a statement of the registry is not in force"
    why = "{reason}"
    fix = "check this machine's clock, then try again later; if it stays, call the registry"


class OlderStatement(IntegrityFault):
    """An intake statement of lower sequence than one seen, or of the same sequence and other content."""

    code = "SWD-ENV-20"
    what = "an intake statement is refused"
    why = "a newer one, or another one of the same number, was seen before"
    fix = "send nothing; call the registry: its gateway shows old or two different statements"


class KeyMalformed(IntegrityFault):
    """Bytes that should be a public key are none."""

    code = "SWD-ENV-21"
    what = "a key is refused"
    why = "{reason}"
    fix = "ask its owner for the key again"


class KeyFileUnreadable(SettingsFault):
    """A key file breaks its format."""

    code = "SWD-ENV-22"
    what = "a key file cannot be read"
    fix = "restore it from a backup, or enrol again"


class PassphraseWrong(SettingsFault):
    """The passphrase does not open the key file."""

    code = "SWD-ENV-23"
    what = "a key file does not open"
    why = "the passphrase is another one, or the file was changed"
    fix = "give the passphrase that the key was made with"


class PassphraseMissing(SettingsFault):
    """No source gave a passphrase."""

    code = "SWD-ENV-24"
    what = "there is no passphrase for the key files"
    fix = "use --passphrase-fd, a systemd credential `swaddle-passphrase`, the setting `passphrase_file`, or a terminal"


class PassphraseFileOpen(SettingsFault):
    """The passphrase file may be read by others."""

    code = "SWD-ENV-25"
    what = "the passphrase file is refused"
    why = "others than its owner can read or change it"
    fix = "run `chmod 600` on it and make sure that it is yours"


class SourceChanged(FileFault):
    """A file changed while it was being sealed."""

    code = "SWD-ENV-26"
    what = "the file changed while it was being sealed"
    why = "it is shorter or longer than when sealing began"
    fix = "wait until whatever writes it has finished, then run again"
