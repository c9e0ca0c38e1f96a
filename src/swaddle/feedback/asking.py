"""What a registry that came back from a backup asks of each submitter: a page in both languages, and the same as JSON.

Pure. Nothing of a submission is in it: two instants, and what to do.
"""

from __future__ import annotations

import json
from datetime import datetime
from string import Template

from swaddle.canonical import format_instant
from swaddle.feedback.bundle import pack

KIND = "send-again"
_PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'">
<title>Please send again what was receipted after $made</title>
</head>
<body>
<main>
<h1>Please send some files again</h1>
<p>The registry's machine was lost, and the registry came back from a backup made at <strong>$made</strong>.
What it took in after that moment is lost there, although you have a receipt for it.</p>
<ol>
<li>Look for receipts dated after $made: <code>swaddle status</code> lists them with their times.</li>
<li>Send those files again with <code>swaddle send</code>, as they were: it no longer takes them for sent.
A file that the registry still has is known by its content and is not stored twice, so when in doubt, send it.</li>
<li>Answers to warnings and sign-offs that you sent after that moment are lost too. Give them again.</li>
</ol>
<p>What was on its way when the machine was lost comes back to you as unreadable; your next <code>swaddle send</code>
sends it again by itself. What you sent by the SFTP door you have to send again.</p>
<hr>
<div lang="fr">
<h1>Veuillez envoyer de nouveau certains fichiers</h1>
<p>La machine du registre a été perdue, et le registre a été rétabli d'une sauvegarde faite le <strong>$made</strong>.
Ce qu'il a reçu après ce moment y est perdu, même si vous en avez un récépissé.</p>
<ol>
<li>Cherchez les récépissés postérieurs au $made : <code>swaddle status</code> les montre avec leur heure.</li>
<li>Envoyez ces fichiers de nouveau avec <code>swaddle send</code>, tels quels : il ne les tient plus pour envoyés.
Un fichier que le registre a encore est reconnu à son contenu et n'est pas enregistré deux fois : dans le doute,
envoyez-le.</li>
<li>Les réponses aux avertissements et les approbations envoyées après ce moment sont perdues aussi. Donnez-les de
nouveau.</li>
</ol>
<p>Ce qui était en route quand la machine a été perdue vous revient comme illisible; votre prochain
<code>swaddle send</code> l'envoie de nouveau de lui-même. Ce que vous avez envoyé par la porte SFTP est à envoyer de
nouveau.</p>
</div>
</main>
</body>
</html>
""")


def send_again(notice: str, made: datetime, until: datetime) -> bytes:
    """The bundle that is sealed to a submitter.

    Args:
        notice: its id, 32 hex digits.
        made: when the backup was made: what was receipted after it is lost.
        until: now: the lost machine may have receipted until the restored one locked it out.
    """
    told = {
        "transfer": notice,
        "kind": KIND,
        "receipted_after": format_instant(made),
        "receipted_until": format_instant(until),
        "rows": {"read": 0, "stored": 0, "rejected": 0, "duplicates": 0},
        "records": {},
        "findings": [],
    }
    page = _PAGE.substitute(made=format_instant(made))
    return pack({"report.html": page.encode("utf-8"), "report.json": json.dumps(told, indent=2).encode("utf-8")})
