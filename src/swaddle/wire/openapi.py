"""The gateway's HTTP as OpenAPI 3.1, made from one table of operations and the messages themselves. Pure.

`make pages` writes docs/openapi.json; a test compares it with this and with the routes. The gateway never serves it: it
says nothing of itself. What a signature must cover is in docs/spec/transfer.md section 2; no OpenAPI can say that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from swaddle.wire import messages as m

BYTES = "application/octet-stream"
ANYBODY, SUBMITTER, OWNER, READER, REGISTRY = "anybody", "submitter", "owner", "reader", "registry"
_SIGNED = frozenset({SUBMITTER, OWNER, READER, REGISTRY})


@dataclass(frozen=True)
class Operation:
    """One method of one path.

    Attributes:
        who: who may ask; everybody else hears `not-found` or `unsigned`.
        words: what it does.
        body: the message that is sent, BYTES, or None.
        answers: status -> message, BYTES, or None for an empty body (`{}` where it says JSON).
        problems: problem types beyond those that any request may meet.
        fields: names of header fields that it takes.
        query: names of its query parameters.
    """

    method: str
    path: str
    who: str
    words: str
    body: Any = None
    answers: tuple[tuple[int, Any], ...] = ((200, None),)
    problems: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    query: tuple[str, ...] = ()


_UPLOAD = ("upload-offset", "upload-complete", "upload-length", "upload-limit")
TABLE = (
    Operation("GET", "/healthz", ANYBODY, "The process answers: `ok`.", answers=((200, "text/plain"),)),
    Operation("GET", "/readyz", ANYBODY, "It takes new work: `ok`.", None, ((200, "text/plain"),), ("busy", "full")),
    Operation("GET", "/v1/time", ANYBODY, "The gateway's clock.", None, ((200, m.Time),)),
    Operation(
        "POST", "/v1/claim", ANYBODY, "A registry claims this gateway, once.", m.Claim, ((200, m.Claimed),),
        ("unsigned",),
    ),
    Operation("POST", "/v1/enrolments", ANYBODY, "Keys are posted.", m.Enrolment, ((202, None),), ("conflict",)),
    Operation(
        "GET", "/v1/enrolments", REGISTRY, "Enrolments that wait.", answers=((200, m.PendingEnrolments),)
    ),
    Operation(
        "POST", "/v1/enrolments/state", ANYBODY, "How far an enrolment is.", m.EnrolmentQuestion,
        ((200, m.EnrolmentState),),
    ),
    Operation(
        "POST", "/v1/instructions", REGISTRY, "A signed, numbered instruction.", m.SignedText,
        problems=("conflict", "refused", "frozen"),
    ),
    Operation(
        "GET", "/v1/journal", REGISTRY, "Journal entries after a number, and the signed head.",
        None, ((200, m.JournalPage),), ("frozen",), query=("after",),
    ),
    Operation("GET", "/v1/status", REGISTRY, "Counts and freezes.", answers=((200, m.GatewayStatus),)),
    Operation("GET", "/v1/intake", SUBMITTER, "What to seal to.", answers=((200, m.Intake),)),
    Operation("GET", "/v1/inbox", READER, "What waits for this reader.", None, ((200, m.Inbox),), ("frozen",)),
    Operation(
        "POST", "/v1/transfers", SUBMITTER, "Announce a transfer; 200 where it was announced before.", m.Announce,
        ((201, m.Announced), (200, m.Announced)), ("refused", "full"),
    ),
    Operation("GET", "/v1/transfers/{id}", OWNER, "Where a transfer is.", answers=((200, m.TransferView),)),
    Operation(
        "POST", "/v1/transfers/{id}/finish", OWNER, "All but the body; then it is held.", m.Finish,
        ((200, m.SignedText),), ("conflict", "digest", "refused"),
    ),
    Operation(
        "POST", "/v1/transfers/{id}/lease", READER, "Begin to read.", m.LeaseRequest,
        ((200, m.Lease),), ("conflict", "leased", "frozen"),
    ),
    Operation(
        "POST", "/v1/transfers/{id}/acknowledgement", READER, "End a transfer by a signed word.", m.SignedText,
        problems=("conflict", "refused"),
    ),
    Operation(
        "POST", "/v1/transfers/{id}/give-back", READER, "End a lease.", m.SignedText,
        problems=("conflict", "refused"),
    ),
    Operation(
        "PUT", "/v1/transfers/{id}/parts/{number}", OWNER,
        "A sealed part; with `Upload-Complete` the creation of a resumable upload (draft 12).",
        BYTES, ((204, None), (201, None)), ("conflict", "digest", "full", "slow", "refused"), _UPLOAD,
    ),
    Operation(
        "OPTIONS", "/v1/transfers/{id}/parts/{number}", OWNER, "The limits of resumable uploads.",
        answers=((204, None),),
    ),
    Operation(
        "GET", "/v1/transfers/{id}/parts/{number}", READER, "A sealed part, under a lease.",
        None, ((200, BYTES),), ("conflict", "frozen"), ("swaddle-lease",),
    ),
    Operation("HEAD", "/v1/uploads/{id}", OWNER, "How far an upload is.", answers=((204, None),)),
    Operation(
        "PATCH", "/v1/uploads/{id}", OWNER, "Append to an upload.", "application/partial-upload",
        ((204, None), (201, None)), ("conflict", "digest", "full", "slow", "refused"), _UPLOAD,
    ),
    Operation("DELETE", "/v1/uploads/{id}", OWNER, "Drop an upload.", answers=((204, None),)),
)  # fmt: skip
_ANY_PROBLEMS = ("malformed", "not-found", "fault", "busy")
_SIGNED_PROBLEMS = ("unsigned", "clock")
_BODY_PROBLEMS = ("length", "too-large", "encoding", "digest")


def describe() -> dict[str, Any]:
    """The OpenAPI document as JSON values."""
    kinds = {each for one in TABLE for each in (one.body, *(kind for _, kind in one.answers)) if _is_message(each)}
    ordered = sorted(kinds | {m.Problem}, key=lambda kind: kind.__name__)
    _, components = msgspec.json.schema_components(ordered, ref_template="#/components/schemas/{name}")
    paths: dict[str, dict[str, Any]] = {}
    for one in TABLE:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Swaddle gateway",
            "version": "1",
            "description": "Sealed transfers on their way. docs/spec/transfer.md is the specification.",
        },
        "paths": paths,
        "components": {
            "schemas": _plain(components),
            "securitySchemes": {
                "signature": {
                    "type": "http",
                    "scheme": "Signature",
                    "description": "HTTP Message Signatures (RFC 9421), Ed25519, label and tag `swaddle`.",
                }
            },
        },
    }


def _operation(one: Operation) -> dict[str, Any]:
    problems = [*_ANY_PROBLEMS, *one.problems]
    problems += _SIGNED_PROBLEMS if one.who in _SIGNED else ()
    problems += _BODY_PROBLEMS if one.body is not None else ()
    answers: dict[str, Any] = {str(status): _answer(kind) for status, kind in one.answers}
    for status in sorted({m.PROBLEMS[name][0] for name in problems}):
        names = ", ".join(f"`{name}`" for name in dict.fromkeys(problems) if m.PROBLEMS[name][0] == status)
        content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        answers[str(status)] = {"description": names, "content": content}
    said: dict[str, Any] = {
        "summary": one.words,
        "description": f"For: {one.who}.",
        "parameters": _parameters(one),
        "responses": answers,
        "security": [{"signature": []}] if one.who in _SIGNED else [],
    }
    if one.body is not None:
        said["requestBody"] = {"required": True, "content": _content(one.body)}
    return said


def _parameters(one: Operation) -> list[dict[str, Any]]:
    hexadecimal = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
    found = [
        {"name": name, "in": "path", "required": True, "schema": schema}
        for name, schema in (("id", hexadecimal), ("number", {"type": "integer", "minimum": 0, "maximum": 999_999}))
        if f"{{{name}}}" in one.path
    ]
    number = {"type": "integer", "minimum": 0}
    found += [{"name": name, "in": "query", "required": True, "schema": number} for name in one.query]
    needed = {"swaddle-lease"}
    text = {"type": "string"}
    found += [{"name": name, "in": "header", "required": name in needed, "schema": text} for name in one.fields]
    if one.body is not None:
        digest = {"type": "string", "pattern": "^sha-256=:[A-Za-z0-9+/]{43}=:$"}
        found.append({"name": "content-digest", "in": "header", "required": True, "schema": digest})
    return found


def _answer(kind: Any) -> dict[str, Any]:
    return {"description": "done", **({} if kind is None else {"content": _content(kind)})}


def _content(kind: Any) -> dict[str, Any]:
    if isinstance(kind, str):
        return {kind: {"schema": {"type": "string"} if kind == "text/plain" else {}}}
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{kind.__name__}"}}}


def _is_message(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, m.Message)


def _plain(value: Any) -> Any:
    """Schemas as JSON Schema has them: `^…$` for Python's anchors, descriptions in one line."""
    if isinstance(value, dict):
        return {key: _plain(kept) for key, kept in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(kept) for kept in value]
    if isinstance(value, str):
        return (
            " ".join(value.split()).replace("\\A", "^").replace("\\Z", "$")
            if "\\A" in value or "\n" in value
            else value
        )
    return value
