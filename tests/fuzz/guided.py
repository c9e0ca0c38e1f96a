"""Coverage-guided fuzzing of one parser that faces the network: `python tests/fuzz/guided.py TARGET SECONDS CORPUS`.

A process of its own for each target, since libFuzzer ends the process that it runs in. What a target lets through of an
exception that is not its room's own is a crash. tests/fuzz/test_fuzz_guided.py runs them all.
"""

import io
import json
import os
import resource
import sys
import tempfile
import zipfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["swaddle"]):
    import msgspec

    from swaddle.canonical import NotCanonical, parse_canonical
    from swaddle.envelope.crypt4gh import read_header
    from swaddle.envelope.manifest import parse_description, parse_manifest
    from swaddle.envelope.pack_reader import look_through
    from swaddle.envelope.signature import Signed, SigningKey, open_signed
    from swaddle.errors import FileFault, SwaddleError
    from swaddle.feedback.bundle import NotABundle, unpack
    from swaddle.gateway.head import length_of, read_head
    from swaddle.gateway.refusal import Refusal
    from swaddle.gateway.sftp_names import NameRefused, canonical_path, sort_of
    from swaddle.gateway.sftp_packets import BadPacket, Reader, Request
    from swaddle.intake import opened
    from swaddle.intake.faults import MappingFault
    from swaddle.intake.mapping import load_builtin, parse
    from swaddle.intake.positions import from_layout
    from swaddle.intake.readers import csv as csv_reader
    from swaddle.intake.readers import (
        excel,
        fhir_sheets,
        fixed,
        hl7,
        hl7_kinds,
        hl7_paths,
        hl7_screen,
        hl7_stream,
        ndjson,
    )
    from swaddle.intake.readers.how import How
    from swaddle.intake.wall.prescan import look_through as look_sheet_through
    from swaddle.registry import door_import
    from swaddle.wire import messages, resumable_requests
    from swaddle.wire.door import decode_question
    from swaddle.wire.enrolment import ClaimFile, Invitation, RegistryKeys, SubmitterKeys
    from swaddle.wire.resumable import Limits, Protocol, Refused, Upload
    from swaddle.wire.signing import ClockWrong, Unsigned, check_request, parse_content_digest
    from swaddle.wire.statements import decode_instruction
    from swaddle.wire.upload_fields import Fields

FHIR_LAYOUTS = [each for each in load_builtin().values() if each.writing.format == "fhir"]
NOW = datetime(2026, 11, 22, 9, 24, 37, tzinfo=UTC)
MEMORY_BYTES = 3 * 2**30
HEX = "0123456789abcdef" * 2
KEY = SigningKey.generate()
KINDS = [
    kind
    for kind in vars(messages).values()
    if isinstance(kind, type) and issubclass(kind, messages.Message) and kind is not messages.Message
]


def head(data):
    """Method, target and fields as a server would hand them over; then the signature's fields."""
    method, path, query, *lines = [*data.split(b"\n"), b"", b"", b""][:80]
    fields = [tuple(line.split(b": ", 1)) for line in lines if b": " in line]
    with suppress(Refusal, Unsigned, ClockWrong):
        request = read_head(method.decode("latin-1"), path, query, fields, "gateway.example:8443")
        with suppress(Refusal):
            length_of(request, 2**31)
        check_request(request, lambda _: KEY.public, NOW, lambda *_: True)


def json_messages(data):
    for kind in KINDS:
        with suppress(messages.Garbled):
            messages.decode(data, kind)


def instructions(data):
    with suppress(SwaddleError, ValueError):
        value = msgspec.json.decode(data)
        if isinstance(value, dict):
            decode_instruction(value)


def content_digests(data):
    with suppress(Unsigned):
        parse_content_digest(data.decode("latin-1"))


def enrolments(data):
    for read in (RegistryKeys.from_text, SubmitterKeys.from_text, ClaimFile.from_bytes):
        with suppress(SwaddleError):
            read(data)
    with suppress(SwaddleError):
        Invitation.decode(data.decode("latin-1"))


def statements(data):
    text, _, signature = data.partition(b"\x00")
    with suppress(SwaddleError):
        signed = Signed(text.decode("utf-8", "replace"), signature.decode("latin-1"))
        open_signed(signed, "swaddle-manifest-v1", (KEY.public,))


def manifests(data):
    with suppress(SwaddleError):
        parse_manifest(data.decode("utf-8", "replace"))


def descriptions(data):
    with suppress(SwaddleError):
        parse_description(data)


def crypt4gh_headers(data):
    with suppress(SwaddleError):
        read_header(data, bytes(range(32)))


def bundles(data):
    with suppress(NotABundle):
        unpack(data)


def canonical_json(data):
    with suppress(NotCanonical):
        parse_canonical(data)


def uploads(data):
    """The fields of a creation and of an append, in both protocols."""
    lines = [line.split(b": ", 1) for line in data.split(b"\n") if b": " in line]
    fields = Fields((name.decode("latin-1"), value.decode("latin-1")) for name, value in lines)
    limits = Limits(max_size=2**40, max_age_seconds=3600)
    for method in ("POST", "PUT"):
        with suppress(Refused):
            resumable_requests.creation(method, fields, limits, NOW)
    for protocol in Protocol:
        with suppress(Refused, resumable_requests.Overrun):
            upload, _ = resumable_requests.appending(Upload(protocol, NOW, offset=10, length=100), fields, limits)
            assert upload.offset == 10


def sftp_packets(data):
    """A session's bytes, in one piece and cut in two: the same requests or the same end."""

    def read(pieces):
        reader, seen = Reader(), []
        try:
            for piece in pieces:
                for found in reader.feed(piece):
                    if isinstance(found, Request):
                        with suppress(BadPacket, NameRefused):
                            sort_of(canonical_path(found.fields.text()))
                    seen.append(type(found).__name__)
        except BadPacket:
            seen.append("bad")
        return [one for one in seen if one != "WriteData"]  # its pieces are cut where the line cuts

    assert read([data]) == read([data[: len(data) // 2], data[len(data) // 2 :]])


def packs(data):
    with suppress(SwaddleError):
        look_through(
            [memoryview(data[: len(data) // 2]), memoryview(data[len(data) // 2 :])], index_sha256=HEX * 2, members=1
        )


def door_questions(data):
    with suppress(messages.Garbled):
        decode_question(data)


def lists_of_partners(data):
    with suppress(SwaddleError):
        _, wrong = door_import.read(data.decode("utf-8", "replace"))
        assert all(one.why and one.fix for one in wrong)


PLACES = [
    hl7_paths.compile_path(place)
    for place in ("PID-3[5!=SS].1 | PID-2", "PID-5.1*", "PID-7", "OBX[3=8339-4]-5 in g", "OBX[3=67704-7]-5*", "MSH-7")
]


def hl7_files(data):
    """Framed alike in one piece and in two; every message parted, every place and every judgement asked."""

    def framed(pieces):
        framing = hl7_stream.Framing()
        return list(hl7_stream.messages_of(pieces, framing)), framing

    found, framing = framed([data])
    assert (found, framing) == framed([data[: len(data) // 2], data[len(data) // 2 :]])
    for raw in found:
        with suppress(hl7.BadMessage):
            whole = hl7.parse(hl7_stream.decode(raw.data, framing))
            for message in hl7_kinds.patients(whole):
                for kind in hl7_kinds.Kind:
                    assert hl7_kinds.action_of(message, kind) in {"new", "replace", "void"}
                hl7_kinds.is_screening(message), hl7_kinds.role_of(message), hl7_screen.conditions(message)
                hl7_screen.analytes(message), hl7_screen.factors(message), hl7_screen.transfused(message)
                hl7_screen.quality(message), hl7_screen.unsatisfactory_reasons(message)
                assert all(isinstance(hl7_paths.value_at(place, message), str) for place in PLACES)


def fhir_files(data):
    """Documents as a file holds them; every place asked, every judgement made, every row and reply counted."""
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        with suppress(FileFault):
            for sheet in fhir_sheets.read_fhir(file.fileno(), len(data), FHIR_LAYOUTS, limit_bytes=2**20):
                sheet.close()


def read_as(reader, made=lambda data: data):
    """A reader of files: a refusal, or sheets whose bytes are in the form and whose counts add up."""
    how = How(kind=reader.__name__, mappings=tuple(load_builtin().values()))

    def target(data):
        whole = made(data)
        memory_fd = opened.memory_file(0)
        try:
            opened.write_all(memory_fd, whole)
            with suppress(FileFault):
                for sheet in reader.read(memory_fd, len(whole), how):
                    look_sheet_through(sheet)
                    sheet.close()
        finally:
            os.close(memory_fd)

    return target


def read_small_records(data):
    """Records of twenty characters, in the encoding that the first byte says: every one a row, broken or blank."""
    encoding = ("utf-8", "windows-1252")[data[0] % 2] if data else "utf-8"
    source = opened.memory_file(0)
    try:
        opened.write_all(source, data[1:])
        with suppress(FileFault):
            for sheet in fixed.read_fixed(source, max(0, len(data) - 1), SMALL, encoding, limit_bytes=2**20):
                look_sheet_through(sheet)
                sheet.close()
    finally:
        os.close(source)


def mapping_files(data):
    """Mapping files and layout tables: a mapping, or a fault that says what is wrong with it."""
    with suppress(MappingFault, UnicodeDecodeError):
        text = data.decode()
        parse(text, lambda _: text)
    with suppress(MappingFault, UnicodeDecodeError):
        from_layout(data.decode(), 2000)


def workbook_of(sheet):
    """A workbook with these bytes as its sheet."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in WORKBOOK.items():
            archive.writestr(name, text)
        archive.writestr("xl/worksheets/s.xml", sheet)
    return made.getvalue()


WORKBOOK = {
    "xl/workbook.xml": '<workbook xmlns:r="r"><sheets><sheet name="a" r:id="1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": '<a><Relationship Id="1" Type="/worksheet" Target="worksheets/s.xml"/></a>',
    "xl/styles.xml": '<a><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/></cellXfs></a>',
}
SMALL = from_layout("Field,Start,End\nid,1,4\nname,5,10\nweight,12,15\nsex,16,16\n", 20)
BIRTHS = b'local_record_id,event_date,outcome\nB1,2024-11-02,live\n"B\n2",2024,"li""ve"\n'


SIGNED_HEAD = (
    b"PUT\n/v1/transfers/%s/parts/0\n\nhost: gateway.example:8443\ncontent-length: 100\n"
    b"content-digest: sha-256=:%s=:\nupload-complete: ?1\n"
    b'signature-input: swaddle=("@method" "@authority" "@path" "@query" "content-length" "content-digest"'
    b' "upload-complete");created=1795339477;expires=1795339537;nonce="QUJDREVGR0hJSktMTU5PUA==";'
    b'keyid="SHA256:%s";tag="swaddle"\nsignature: swaddle=:%s==:' % (HEX.encode(), b"A" * 43, b"A" * 43, b"A" * 86)
)
TARGETS = {
    "fhir-files": (fhir_files, [
        (b'{"resourceType":"Bundle","type":"document","identifier":{"value":"2024ON1"},"entry":[{"resource":{"resourceType":'
        b'"Composition","type":{"coding":[{"code":"92011-6"}]},"subject":{"reference":"Patient/k"}}},{"resource":{"id":"k",'
        b'"resourceType":"Patient","birthDate":"2024-01-02","name":[{"use":"official","family":"N","given":["G"]}]}},'
        b'{"resource":{"resourceType":"Observation","code":{"coding":[{"code":"8339-4"}]},"valueQuantity":{"value":7.5,'
        b'"code":"[lb_av]"}}}]}'),
        (b'{"resourceType":"Bundle","type":"message","entry":[{"resource":{"resourceType":"MessageHeader","eventUri":'
        b'"http://x/birth_submission_void"}},{"resource":{"resourceType":"Parameters","parameter":[{"name":"cert_no",'
        b'"valueUnsignedInt":1},{"name":"event_year","valueUnsignedInt":2024},{"name":"jurisdiction_id","valueString":'
        b'"ON"},{"name":"block_count","valueUnsignedInt":3}]}}]}\n{"resourceType":"Patient","id":"p"}\n'),
        (b'{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"DiagnosticReport","status":"final","code":'
        b'{"coding":[{"code":"54089-8"}]},"issued":"2024-01-02T03:04:05Z"}},{"resource":{"resourceType":"Patient",'
        b'"contact":[{"relationship":[{"coding":[{"code":"MTH"}]}],"name":{"family":"M"}}]}},{"resource":{"resourceType":'
        b'"Observation","code":{"coding":[{"code":"57718-9"}]},"valueCodeableConcept":{"text":"wet"}}}]}'),
    ]),
    "hl7-files": (hl7_files, [
        (b"MSH|^~\\&|A|B|C|D|20240226034304-0500||ORU^R01|7|P|2.5.1||||||8859/1\rPID|1||7^^^H&2^MR~8^^^X^SS||N^G||20240221|F\r"
        b"ORC|RE|1\rOBR|1|1||54089-8^x^LN\rOBX|1|NM|8339-4^w^LN||6.5|lb|||||F\rOBX|2|SN|2-3^a^LN||<^2|u\r"),
        b"\x0bFHS|^~\\&|A\nBHS|^~\\&|A\nMSH|^~\\&|A||||2024||ADT^A01\nEVN|A01|2024\nPID|||1\\S\\2\nBTS|1\nFTS|1\n\x1c\r",
    ]),
    "head": (head, [SIGNED_HEAD]),
    "json-messages": (json_messages, [
        b'{"reference":"AAAAAAAAAAAAAAAAAAAAAA==","recipient":"%s","body_bytes":100,"part_bytes":65536,'
        b'"expires":"2026-11-24T09:24:37Z"}' % HEX.encode(),
        b'{"lease_sha256":"%s"}' % (HEX * 2).encode(),
        b'{"manifest":{"message":"{}","signature":""},"header":"","description":""}',
    ]),
    "instructions": (instructions, [
        b'{"at":"2026-11-22T09:24:37Z","instruction":"allowance","sequence":7,"transfers":2}',
        b'{"at":"2026-11-22T09:24:37Z","instruction":"revoke","sequence":7,"submitter":"%s"}' % HEX.encode(),
    ]),
    "content-digests": (content_digests, [b"sha-256=:" + b"A" * 43 + b"=:"]),
    "enrolments": (enrolments, [b"swaddle-invitation-1.eyJ1cmwiOiJodHRwczovL2cifQ", b'{"claim":1,"url":"https://g"}']),
    "statements": (statements, [b"{}\x00-----BEGIN SSH SIGNATURE-----\nU1NIU0lH\n-----END SSH SIGNATURE-----\n"]),
    "manifests": (manifests, [json.dumps({"core": {"transfer": HEX}, "version": 1}).encode()]),
    "descriptions": (descriptions, [b'{"files":[],"kind":"births","version":1}']),
    "crypt4gh-headers": (crypt4gh_headers, [b"crypt4gh\x01\x00\x00\x00\x01\x00\x00\x00\x6c\x00\x00\x00" + bytes(104)]),
    "bundles": (bundles, [b"report.html".ljust(512, b"\x00") + bytes(1024)]),
    "uploads": (uploads, [
        b"upload-complete: ?0\nupload-offset: 10\nupload-length: 100\ncontent-length: 20\n"
        b"content-type: application/partial-upload\nrepr-digest: sha-256=:%s=:" % (b"A" * 43),
        (b"tus-resumable: 1.0.0\nupload-length: 100\nupload-offset: 10\nupload-metadata: filename d29ybGQ=,a\n"
        b"content-type: application/offset+octet-stream\nupload-checksum: sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0="),
    ]),
    "sftp-packets": (sftp_packets, [
        b"\x00\x00\x00\x05\x01\x00\x00\x00\x03"
        b"\x00\x00\x00\x1d\x03\x00\x00\x00\x01\x00\x00\x00\x08a.csv/..\x00\x00\x00\x1a\x00\x00\x00\x00" + bytes(4)
        + b"\x00\x00\x00\x1d\x06\x00\x00\x00\x02\x00\x00\x00\x04\x00\x00\x00\x01" + bytes(8) + b"\x00\x00\x00\x04abcd",
    ]),
    "packs": (packs, [(b"a.csv".ljust(100, b"\x00") + b"0000600\x00").ljust(512, b"\x00") + bytes(1024)]),
    "door-questions": (door_questions, [
        b'{"ask":"announce","reference":"AAAAAAAAAAAAAAAAAAAAAA=="}', b'{"ask":"begin","ssh_key":"ssh-ed25519 AAAA"}',
    ]),
    "lists-of-partners": (lists_of_partners, [
        b"name,ssh_keys,sites,mail,language\nNorthshore General,ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA==,N1,a@b.example,en\n",
    ]),
    "csv-files": (read_as(csv_reader), [BIRTHS, BIRTHS.decode().encode("utf-16")]),
    "json-files": (read_as(ndjson), [
        b'{"local_record_id":"B1","mother":{"id":[1,null]}}\n{"local_record_id":2.50}\n', b'[{"a":1},{"a":true}]',
    ]),
    "excel-files": (read_as(excel), [workbook_of(b"<worksheet/>")]),
    "excel-sheets": (read_as(excel, workbook_of), [
        (b'<worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>local_record_id</t></is></c></row>'
        b'<row r="2"><c r="A2" s="1"><f>1+1</f><v>45598.5</v></c></row></sheetData><mergeCell ref="A1:B2"/></worksheet>'),
    ]),
    "fixed-width-files": (read_small_records, [
        b"\x000001ANNA   3450F    \r\n0002ROS\xc3\x89   2900M   \r\n", b"\x010001ANNA   3450F\n0002ROSE\n0003EVE    29\n\x1a",
    ]),
    "mapping-files": (mapping_files, [
        (b'name = "a"\ndictionary = "1"\nformat = "fixed"\nlength = 20\nlike = "nchs-natality-2021"\n[columns]\nA = [1, 4]\n'
        b'[known_by]\nA = "digits"\n[fields.para]\nderived = "CASE WHEN A = \'1\' THEN number(A) + 1 END"\n'),
        b'name = "b"\ndictionary = "1"\ncolumns = ["x"]\n[fields.local_record_id]\nfrom = "x"\n',
        b"Field,Start,End,Length\na,1,4,4\nb,5-9,,\n",
    ]),
    "canonical-json": (canonical_json, [b'{"a":[1,2,"x"],"b":null}']),
}  # fmt: skip


def main():
    name, seconds, corpus = sys.argv[1:4]
    target, seeds = TARGETS[name]
    for number, seed in enumerate(seeds):
        (Path(corpus) / f"seed-{number}").write_bytes(seed)
    # libFuzzer's own limit reads the highest size ever, and a process inherits that of whoever started it: a test
    # runner that once held 3 GiB would fail every target. The kernel's limit counts this process alone; what asks for
    # more gets a MemoryError, which no target expects.
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    options = [f"-max_total_time={seconds}", "-max_len=4096", "-timeout=10", "-rss_limit_mb=0"]
    atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={corpus}/", corpus], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
