"""FHIR resources that belong together: a document, a message, or what a collection holds about one patient. Pure.

A record knows its resources by type and by reference, the message it came in, and who is the mother and who the child.
Nothing is guessed from names: roles come from profiles, from the composition, from relationships, and where there is
only one patient, from that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

Resource = dict[str, Any]

LIMIT_NESTED = 4  # bundles in bundles
NO_RESOURCE, BAD_BUNDLE = "J2", "J5"
_MOTHER = frozenset(["MTH", "NMTH", "GESTM", "MTHBIRTH"])  # v3-RoleCode, HL7 v2 table 0063
_MOTHER_SECTIONS = frozenset(["57073-9", "92014-0", "55752-0"])
_MOTHERS_ENCOUNTER, _BABYS_ENCOUNTER = "encounter-maternity", "encounter-birth"


@dataclass
class FhirRecord:
    """What makes one row.

    Attributes:
        number: of its document, from 1.
        resources: what belongs to it, in the file's order, contained resources too.
        bundle: the bundle around them; the document's own where a message carries one.
        message: the bundle of the message, {} where there is none.
        patient: whom it is about, where a bundle holds several.
        check: the id of the check that says why it is none, or "".
        detail: what of it, for whoever mends it.
    """

    number: int
    resources: list[Resource] = field(default_factory=list)
    bundle: Resource = field(default_factory=dict)
    message: Resource = field(default_factory=dict)
    patient: Resource | None = None
    outer: list[Resource] = field(default_factory=list)
    check: str = ""
    detail: str = ""

    @cached_property
    def by_type(self) -> dict[str, list[Resource]]:
        """Resources by type, those of the message around a document too."""
        found: dict[str, list[Resource]] = {}
        for each in (*self.outer, *self.resources):
            found.setdefault(text_of(each, "resourceType"), []).append(each)
        return found

    @cached_property
    def by_word(self) -> dict[tuple[str, str], list[Resource]]:
        """Resources by type and by each word that a place can select them by, in small letters."""
        found: dict[tuple[str, str], list[Resource]] = {}
        for kind, resources in self.by_type.items():
            for each in resources:
                for word in words_of(each):
                    found.setdefault((kind, word), []).append(each)
        return found

    @cached_property
    def by_reference(self) -> dict[str, Resource | None]:
        """Resources by everything that may refer to them; None where two answer to the same."""
        found: dict[str, Resource | None] = {}
        for bundle in (self.message, self.bundle):
            for entry in objects(bundle.get("entry")):
                resource = entry.get("resource")
                if isinstance(resource, dict):
                    _name(found, text_of(entry, "fullUrl"), resource)
        for each in (*self.outer, *self.resources):
            kind, own = text_of(each, "resourceType"), text_of(each, "id")
            if own:
                _name(found, f"{kind}/{own}", each)
                _name(found, own, each)
                _name(found, f"urn:uuid:{own}", each)
            for inside in objects(each.get("contained")):
                _name(found, f"#{text_of(inside, 'id')}", inside)
        return found

    def resolve(self, reference: Any) -> Resource | None:
        """The resource that a Reference means, if it is here."""
        if not isinstance(reference, dict) or "reference" not in reference:
            return None
        said = text_of(reference, "reference").split("/_history/")[0]
        if not said:
            return None
        found = self.by_reference.get(said)
        if found is None and "/" in said:
            found = self.by_reference.get("/".join(said.rsplit("/", 2)[-2:]))
        return found

    @property
    def header(self) -> Resource:
        """The MessageHeader, {} where there is none."""
        return next(iter(self.by_type.get("MessageHeader", ())), {})

    @property
    def composition(self) -> Resource:
        """The Composition, {} where there is none."""
        return next(iter(self.by_type.get("Composition", ())), {})

    @cached_property
    def parameters(self) -> dict[str, str]:
        """The plain values of the message's Parameters, by name."""
        found: dict[str, str] = {}
        for resource in self.by_type.get("Parameters", ()):
            for each in objects(resource.get("parameter")):
                for key, value in each.items():
                    if key.startswith("value") and isinstance(value, str):
                        found.setdefault(text_of(each, "name"), value)
        return found

    @cached_property
    def child(self) -> Resource:
        """The newborn, the fetus, or the only patient; {} where nobody is it."""
        patients = self.by_type.get("Patient", [])
        if self.patient is not None:
            return {} if has_profile(self.patient, "patient-mother") else self.patient
        for profile in ("patient-child", "decedent-fetus"):
            for each in patients:
                if has_profile(each, profile):
                    return each
        about = self.resolve(self.composition.get("subject"))
        if about is not None and about.get("resourceType") == "Patient" and not has_profile(about, "patient-mother"):
            return about
        if len(patients) == 1 and not has_profile(patients[0], "patient-mother"):
            return patients[0]
        return {}

    @cached_property
    def mother(self) -> Resource:
        """Who gave birth: a Patient, a RelatedPerson, or a contact of the child; {} where nobody is said to be it."""
        patients = [each for each in self.by_type.get("Patient", ()) if each is not self.child]
        related = self.by_type.get("RelatedPerson", [])
        for each in (*patients, *related):
            if has_profile(each, "patient-mother") or has_profile(each, "relatedperson-mother"):
                return each
        for section in objects(self.composition.get("section")):
            about = self.resolve(section.get("focus"))
            if about in patients and said(section.get("code")) & _MOTHER_SECTIONS:
                return about or {}
        named = [each for each in related if _relations(each) & _MOTHER and self._is_of_child(each)]
        if named:
            return named[0]
        for each in self.by_type.get("Encounter", ()):
            if has_profile(each, _MOTHERS_ENCOUNTER) and (found := self.resolve(each.get("subject"))) in patients:
                return found or {}
        return next((each for each in objects(self.child.get("contact")) if _relations(each) & _MOTHER), {})

    @cached_property
    def maternity(self) -> Resource:
        """The mother's stay, {} where there is none."""
        return self._encounter(_MOTHERS_ENCOUNTER, "MTH", self.mother)

    @cached_property
    def birth(self) -> Resource:
        """The child's stay, {} where there is none."""
        return self._encounter(_BABYS_ENCOUNTER, "CHILD", self.child)

    def _encounter(self, profile: str, role: str, subject: Resource) -> Resource:
        encounters = self.by_type.get("Encounter", [])
        for each in encounters:
            if has_profile(each, profile):
                return each
        for each in encounters:
            roles = {code for one in objects(each.get("extension")) for code in said(one.get("valueCodeableConcept"))}
            if role in roles or (subject and self.resolve(each.get("subject")) is subject):
                return each
        return {}

    def _is_of_child(self, related: Resource) -> bool:
        whose = self.resolve(related.get("patient"))
        return whose is None or not self.child or whose is self.child


def records_of(number: int, value: Any, depth: int = 0) -> Iterator[FhirRecord]:
    """The records of one JSON document: one, or as many as a batch or a collection holds."""
    if not isinstance(value, dict) or not text_of(value, "resourceType"):
        yield FhirRecord(number, check=NO_RESOURCE)
        return
    if value["resourceType"] != "Bundle":
        yield FhirRecord(number, resources=_with_contained([value]))
        return
    entries = value.get("entry", [])
    if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
        yield FhirRecord(number, bundle=value, check=BAD_BUNDLE)
        return
    found = [each["resource"] for each in entries if isinstance(each.get("resource"), dict)]
    if not found or not all(text_of(each, "resourceType") for each in found) or depth > LIMIT_NESTED:
        yield FhirRecord(number, bundle=value, check=BAD_BUNDLE)
        return
    headless = value.get("type") == "message" and not any(each["resourceType"] == "MessageHeader" for each in found)
    if headless:  # whether it is new, a replacement or a void, nobody can say
        yield FhirRecord(number, bundle=value, check=BAD_BUNDLE)
        return
    inner = [each for each in found if each["resourceType"] == "Bundle"]
    plain = _with_contained([each for each in found if each["resourceType"] != "Bundle"])
    if any(each["resourceType"] == "MessageHeader" for each in plain):
        yield from _message(number, value, plain, inner)
        return
    for each in inner:
        yield from records_of(number, each, depth + 1)
    if plain:
        yield from _by_patient(FhirRecord(number, resources=plain, bundle=value))


def _message(number: int, bundle: Resource, plain: list[Resource], inner: list[Resource]) -> Iterator[FhirRecord]:
    whole = FhirRecord(number, resources=plain, bundle=bundle, message=bundle)
    if not inner:
        yield from _by_patient(whole)
        return
    focus = [found for each in objects(whole.header.get("focus")) if (found := whole.resolve(each)) is not None]
    payload = next((each for each in focus if each.get("resourceType") == "Bundle"), inner[0])
    entries = objects(payload.get("entry"))
    inside = [each["resource"] for each in entries if isinstance(each.get("resource"), dict)]
    others = [each for each in inner if each is not payload]
    yield FhirRecord(
        number,
        resources=_with_contained(inside),
        bundle=payload,
        message=bundle,
        outer=[*plain, *others],
        check="" if inside and all(text_of(each, "resourceType") for each in inside) else BAD_BUNDLE,
    )


def _by_patient(whole: FhirRecord) -> Iterator[FhirRecord]:
    """One record for each patient whom reports or orders are about; what names no patient belongs to all."""
    patients = whole.by_type.get("Patient", [])
    if len(patients) < 2 or whole.composition:
        yield whole
        return
    about = {
        id(found)
        for kind in ("DiagnosticReport", "ServiceRequest")
        for each in whole.by_type.get(kind, ())
        if (found := whole.resolve(each.get("subject"))) is not None
    }
    meant = [each for each in patients if id(each) in about] or patients
    if len(meant) == 1:
        whole.patient = meant[0]
        yield whole
        return
    others = {id(each) for each in meant}
    for patient in meant:
        yield FhirRecord(
            whole.number,
            resources=[each for each in whole.resources if _belongs(each, patient, others, whole)],
            bundle=whole.bundle,
            message=whole.message,
            patient=patient,
        )


def _belongs(resource: Resource, patient: Resource, patients: set[int], whole: FhirRecord) -> bool:
    if id(resource) in patients:
        return resource is patient
    for key in ("subject", "patient", "beneficiary"):
        found = whole.resolve(resource.get(key))
        if found is not None and id(found) in patients:
            return found is patient
    return True


def _with_contained(resources: list[Resource]) -> list[Resource]:
    found: list[Resource] = []
    for each in resources:
        found.append(each)
        found.extend(one for one in objects(each.get("contained")) if text_of(one, "resourceType"))
    return found


def _name(found: dict[str, Resource | None], reference: str, resource: Resource) -> None:
    if reference and reference != "#":
        found[reference] = resource if found.get(reference, resource) is resource else None


def _relations(person: Resource) -> set[str]:
    """Codes of a relationship; a sender from HL7 v2 may keep them in an extension."""
    codes = {code for each in objects(person.get("relationship")) for code in said(each)}
    for each in objects(person.get("extension")):
        if text_of(each, "url").endswith("/relationship"):
            codes |= said(each.get("valueCodeableConcept"))
    return codes


def words_of(resource: Resource) -> set[str]:
    """What a resource can be selected by: its codes, categories, types and profiles, in small letters."""
    words = {code.casefold() for key in ("code", "category", "type") for code in said(resource.get(key))}
    meta = resource.get("meta")
    profiles = meta.get("profile") if isinstance(meta, dict) else None
    words.update(each.rsplit("/", 1)[-1].casefold() for each in profiles or () if isinstance(each, str))
    return words


def said(concept: Any) -> set[str]:
    """The codes of a CodeableConcept, of a list of them, of a Coding or of a plain code."""
    found: set[str] = set()
    if isinstance(concept, str):
        found.add(concept)
    elif isinstance(concept, list):
        for each in concept:
            if isinstance(each, dict):
                found |= said(each)
    elif isinstance(concept, dict):
        for each in concept.get("coding") or () if isinstance(concept.get("coding"), list) else ():
            code = each.get("code") if isinstance(each, dict) else None
            if isinstance(code, str):
                found.add(code)
        code = concept.get("code")
        if isinstance(code, str):
            found.add(code)
    found.discard("")
    return found


def has_profile(resource: Resource, name: str) -> bool:
    """Whether a resource says that it follows a profile with this in its name; capitals do not matter."""
    meta = resource.get("meta")
    said = meta.get("profile") if isinstance(meta, dict) else None
    return any(name in each.rsplit("/", 1)[-1].casefold() for each in said or () if isinstance(each, str))


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list, or one object alone; anything else is none."""
    if isinstance(value, dict):
        return [value]
    if isinstance(value, list):
        return [each for each in value if isinstance(each, dict)]
    return []


def text_of(value: dict[str, Any], key: str) -> str:
    """A text in an object; "" where there is none."""
    found = value.get(key)
    return found if isinstance(found, str) else ""
