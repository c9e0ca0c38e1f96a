"""What can be wrong with a whole file: one class a defect, each with its fix. None holds anything out of the file."""

from __future__ import annotations

from swaddle.errors import FileFault, UsageFault


class EmptyFile(FileFault):
    """Nothing in it."""

    code = "SWD-INTAKE-01"
    what = "this file is empty"
    why = "it has {reason}"
    fix = "export it again and look at its size before sending"


class NotADataSet(FileFault):
    """A picture, a spreadsheet, a web page: recognised by its first bytes, whatever its name."""

    code = "SWD-INTAKE-02"
    what = "this file is not a data set"
    why = "its contents are {reason}, whatever its name says"
    fix = "send CSV (UTF-8), Excel (.xlsx) or Parquet; most programs can export one of them"


class WrongEncoding(FileFault):
    """Text, but not UTF-8."""

    code = "SWD-INTAKE-03"
    what = "the text of this file cannot be read"
    fix = "save it as UTF-8, or say `encoding` in its mapping"


class HeaderFault(FileFault):
    """The first line does not name the columns properly."""

    code = "SWD-INTAKE-04"
    what = "the first line of this file does not name its columns"
    fix = "give every column a name of its own on the first line, and nothing above it"


class LayoutUnknown(FileFault):
    """No mapping fits the columns."""

    code = "SWD-INTAKE-05"
    what = "the columns of this file are not those of any known layout"
    fix = "compare the first line with docs/data-dictionary.md, name the layout with --as, or write a mapping file"


class ColumnsMissing(FileFault):
    """The layout was named or found, and columns that it needs are not there."""

    code = "SWD-INTAKE-06"
    what = "columns that this layout needs are not in the file"
    why = "missing: {reason}"
    fix = "add the columns, or name the right layout with --as"


class Unreadable(FileFault):
    """Damaged or cut short."""

    code = "SWD-INTAKE-07"
    what = "this file cannot be read to its end"
    fix = "it was cut short or damaged: export it again"


class TooLarge(FileFault):
    """More than this machine's limits take."""

    code = "SWD-INTAKE-08"
    what = "this file is larger than can be taken here"
    fix = "split it into several files, by month for example, and send them together"


class MappingFault(UsageFault):
    """A mapping file does not say what a mapping must say."""

    code = "SWD-INTAKE-09"
    what = "this mapping file cannot be used"
    fix = "mend it; docs/guide-mapping.md explains each line"


class KindUnknown(FileFault):
    """`--as`, or the description of a transfer, names no layout."""

    code = "SWD-INTAKE-10"
    exit_status = UsageFault.exit_status
    what = "there is no layout of that name"
    why = "known layouts: {reason}"
    fix = "name one of them, or give a mapping file"


class NoMessages(FileFault):
    """HL7 v2, and not one message that the registry reads."""

    code = "SWD-INTAKE-20"
    what = "no message in this file can be read"
    why = "it holds {reason}"
    fix = "send ADT, ORU^R01, ORM^O01 or OML^O21 messages, each beginning with its MSH segment"


class ReadingStopped(FileFault):
    """The process that read it took too long or came to an end."""

    code = "SWD-INTAKE-11"
    what = "reading this file was stopped"
    why = "{reason}; nothing of it was taken"
    fix = "export it again, in several parts if it is large; if it happens again, tell the registry and keep the file"


class NoRecords(FileFault):
    """FHIR, and not one record that the registry reads."""

    code = "SWD-INTAKE-30"
    what = "no record in this file can be read"
    why = "it holds {reason}"
    fix = "send FHIR R4: reports of births and fetal deaths, their messages, or newborn-screening bundles"
