"""What the submission guide says in its own words, in English and in French. Data only."""

from __future__ import annotations

OPENING = (
    """\
For those who write an export or send files: what a file may look like, what it must hold, which codes it uses, and what
becomes of it. The [data dictionary](data-dictionary.md) says what each field means and which rules are asked; the
[guide for analysts](guide-submitter.md) says how to enrol, check and send. `swaddle check` asks on your own machine
everything that the registry asks of one file, in the same words.
""",
    """\
Pour qui prépare une extraction ou envoie des fichiers : la forme d'un fichier, son contenu, ses codes et ce qu'il en
advient. Le [dictionnaire de données](data-dictionary-fr.md) donne le sens de chaque champ et les règles appliquées; le
[guide de l'analyste (en anglais)](guide-submitter.md) explique l'inscription, le contrôle et l'envoi. Sur votre propre
poste, `swaddle check` pose à un fichier toutes les questions du registre, dans les mêmes termes.
""",
)
ANSWERED = (
    """\
1. **The file as a whole.** It must be of a known format and layout. What cannot be read as a whole is refused with one
   message, and nothing of it is stored.
2. **Each row.** A row is stored whole or rejected whole. Errors reject their row; warnings do not. Always:
   rows read = rows stored + rows rejected + duplicates.
3. **The limit.** Where more than one row in five has an error, the mapping is probably wrong: nothing of the file is
   stored, and the report says why.
4. **The report.** Findings are grouped by rule, with a count, an example and what to do; what you can mend comes first.
   The rejected rows come back in your own columns with the line, field, value, rule and fix beside them: mend them at
   their source and send them again.
5. **Warnings.** Correct the value, or answer once that it is verified (`swaddle answer`). An answered warning is not
   raised again for the same value.

**Replace and take back.** `local_record_id` names a record for good, within your organisation and the type of record.
Sending it again replaces the record; with `action` = `void` it is taken back. Identical content changes nothing and
counts as a duplicate. Where `record_version` is given, the higher version wins, whatever order the files come in; else
the later file wins. An older version that comes late is left aside, and the report says so.

**How records meet.** A later record finds an earlier one by `delivery_local_id`, by the person's `local_id` or by the
number of the screening card; keep them the same in every file. Where a record that a rule needs cannot be looked up,
the rule is not evaluated and is counted so.
""",
    """\
1. **Le fichier dans son ensemble.** Son format et sa structure doivent être connus. Un fichier illisible est refusé par
   un seul message et rien n'en est conservé.
2. **Chaque ligne.** Une ligne est conservée entière ou rejetée entière. Une erreur fait rejeter sa ligne; un
   avertissement, non. Toujours : lignes lues = lignes conservées + lignes rejetées + doublons.
3. **La limite.** Si plus d'une ligne sur cinq comporte une erreur, la table de correspondance est sans doute fautive :
   rien du fichier n'est conservé, et le rapport dit pourquoi.
4. **Le rapport.** Les constats sont groupés par règle, avec leur nombre, un exemple et la marche à suivre; ce que vous
   pouvez corriger vient d'abord. Les lignes rejetées vous reviennent dans vos propres colonnes, avec la ligne, le
   champ, la valeur, la règle et la correction : corrigez-les à la source et renvoyez-les.
5. **Les avertissements.** Corrigez la valeur, ou confirmez une seule fois qu'elle est vérifiée (`swaddle answer`). Un
   avertissement confirmé n'est plus soulevé pour la même valeur.

**Remplacer et retirer.** `local_record_id` désigne un enregistrement pour de bon, au sein de votre organisme et du type
d'enregistrement. Un nouvel envoi le remplace; avec `action` = `void`, il est retiré. Un contenu identique ne change
rien et compte comme doublon. Si `record_version` est donné, la version la plus élevée l'emporte, quel que soit l'ordre
des fichiers; sinon, le fichier le plus récent l'emporte. Une version plus ancienne qui arrive en retard est mise de
côté, et le rapport le dit.

**Comment les enregistrements se rejoignent.** Un enregistrement en retrouve un autre par `delivery_local_id`, par le
`local_id` de la personne ou par le numéro de la carte de dépistage; gardez-les identiques dans tous les fichiers. Si
l'enregistrement dont une règle a besoin ne peut être cherché, la règle n'est pas évaluée, et c'est compté ainsi.
""",
)
FORMATS = (
    """\
- **CSV**: UTF-8; comma, semicolon, tab or bar; values with a delimiter in quotation marks; a line of column names
- **Excel (.xlsx)**: one sheet of rows under a line of column names; formulas are never evaluated; hidden sheets are
  named
- **Parquet**: plain columns
- **NDJSON**: one flat JSON object a line
- **fixed width**: by a mapping that gives the position of each column
- **HL7 v2**: ADT, ORU^R01 (newborn screening), OML^O21 and ORM^O01; one message or many
- **FHIR R4**: JSON or NDJSON: births and fetal deaths (BFDR), newborn-screening bundles, persons

What a file is shows in its bytes, not in its name. Another layout needs only a [mapping file](guide-mapping.md).
Columns, segments and resources that nothing reads are named in the report.
""",
    """\
- **CSV** : UTF-8; virgule, point-virgule, tabulation ou barre; guillemets droits autour des valeurs qui contiennent
  le séparateur; une ligne de noms de colonnes
- **Excel (.xlsx)** : une feuille de lignes sous une ligne de noms de colonnes; les formules ne sont jamais évaluées;
  les feuilles masquées sont nommées
- **Parquet** : colonnes simples
- **NDJSON** : un objet JSON plat par ligne
- **largeur fixe** : au moyen d'une table de correspondance qui donne la position de chaque colonne
- **HL7 v2** : ADT, ORU^R01 (dépistage néonatal), OML^O21 et ORM^O01; un message ou plusieurs
- **FHIR R4** : JSON ou NDJSON : naissances et morts fœtales (BFDR), lots de dépistage néonatal, personnes

C'est au contenu que l'on reconnaît un fichier, non à son nom. Toute autre structure ne demande qu'une
[table de correspondance (en anglais)](guide-mapping.md). Le rapport nomme les colonnes, segments et ressources que rien
ne lit.
""",
)
TYPES_TOLD = (
    """\
Numbers are written with a point and no separator of thousands. Times are local times of the place; a time with an
offset (2024-11-02T09:30-05:00) is taken with it. Codes do not mind capitals. In place of a value stands a **missing
reason**, in capitals; in a name with a question mark (`?NA`):
""",
    """\
Les nombres s'écrivent avec un point décimal et sans séparateur de milliers. Les heures sont celles du lieu; une heure
avec décalage (2024-11-02T09:30-05:00) est prise comme telle. Les majuscules des codes n'importent pas. Un **motif
d'absence** tient lieu de valeur, en majuscules; dans un nom, il est précédé d'un point d'interrogation (`?NA`) :
""",
)
CALCULATED = (
    """\
What is calculated where no value is given; a given value is never overwritten.

- `mother_age_years`: completed years between `mother_birth_date` and a whole `event_date`.
- `…hcn_version`: the letters that follow a health card number.

""",
    """\
Ce qui est calculé en l'absence de valeur; une valeur donnée n'est jamais remplacée.

- `mother_age_years` : années révolues entre `mother_birth_date` et une `event_date` complète.
- `…hcn_version` : les lettres qui suivent un numéro de carte Santé.

""",
)
CHANGES = (
    """\
- **Version 1**, first version: ten record types, ten forms.

`swaddle dictionary diff A B` lists what changed between two versions, field by field. During a change-over both
versions are accepted side by side: a mapping says which one it is for, and the plain layouts of version 2 are named
`births-v2` and so on ([guide](guide-dictionary.md)).
""",
    """\
- **Version 1**, première version : dix types d'enregistrement, dix formulaires.

`swaddle dictionary diff A B` énumère, champ par champ, ce qui a changé entre deux versions. Pendant une transition, les
deux versions sont acceptées côte à côte : une table de correspondance dit à laquelle elle se rapporte, et les
structures simples de la version 2 s'appellent `births-v2`, etc. ([guide, en anglais](guide-dictionary.md)).
""",
)
