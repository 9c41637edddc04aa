"""What a signature covers of its file, and what was changed after it (ISO 32000-2 §7.5.6, §12.8)."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from io import BytesIO

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.misc import PdfReadError
from pyhanko.pdf_utils.reader import HistoricalResolver, PdfFileReader
from pyhanko.pdf_utils.xref import XRefCache
from pyhanko.sign.diff_analysis import ModificationLevel, StandardDiffPolicy
from pyhanko.sign.diff_analysis.form_rules_api import FormUpdatingRule
from pyhanko.sign.diff_analysis.policies import DEFAULT_DIFF_POLICY
from pyhanko.sign.diff_analysis.rules.form_field_rules import SigFieldCreationRule, SigFieldModificationRule
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import SignatureCoverageLevel

from hub.pdf.findings import Change, Update

# The library's policy but for two rules: the text of form fields is a document's text, and not to be filled in later;
# and where a leader's certification permits signatures, the agency's seal may show, as other readers have it.
_SEALS = SigFieldCreationRule(allow_new_visible_after_certify=True)  # type: ignore[no-untyped-call]  # has no types
_POLICY = StandardDiffPolicy(
    global_rules=DEFAULT_DIFF_POLICY.global_rules,
    form_rule=FormUpdatingRule(field_rules=[_SEALS, SigFieldModificationRule()]),
)
_END = re.compile(rb"%%EOF\s*\Z")


class _History(XRefCache):
    def get_introducing_revision(self, ref: generic.Reference) -> int:
        try:
            return int(super().get_introducing_revision(ref))
        except KeyError:  # a reference to nothing is the null object (ISO 32000-2 §7.3.10), and always was
            return 0


def opened(pdf: bytes, *, strict: bool) -> PdfFileReader:
    """Raises PdfReadError for what is no PDF file, and in between whatever the library stumbles over."""
    reader = PdfFileReader(BytesIO(pdf), strict=strict)
    reader.xrefs.__class__ = _History
    return reader


def held(holder: generic.DictionaryObject, key: str) -> object:
    """What stands there, references followed; None for nothing. The library's own ``get`` gives the reference."""
    return holder[key] if key in holder else None  # noqa: SIM401  (which is what get does not do here)


def is_stamp(signature: EmbeddedPdfSignature) -> bool:
    """Whether it is a document timestamp; anything else is judged as a signature."""
    return bool(signature.sig_object_type == "/DocTimeStamp")


def end_of(signature: EmbeddedPdfSignature) -> int:
    """Where the bytes that the signature covers end."""
    ranges = list(signature.byte_range)
    return int(ranges[2]) + int(ranges[3]) if len(ranges) == 4 else 0


def uncovered(signature: EmbeddedPdfSignature, pdf: bytes) -> str | None:
    """Why the signature does not cover its whole revision but for its own value, or None when it does.

    The library adds up lengths; that the gap holds the signature's value and nothing else is looked at here.
    """
    ranges = [int(number) for number in signature.byte_range]
    if len(ranges) != 4 or ranges[0] != 0 or min(ranges) < 0:
        return "/ByteRange is not that of one gap"
    _, length, start, rest = ranges
    if start + rest > len(pdf) or length >= start:
        return "/ByteRange leaves the file"
    gap = pdf[length:start]
    if gap[:1] != b"<" or gap[-1:] != b">":
        return "/ByteRange leaves out more than /Contents"
    try:
        left_out = bytes.fromhex(gap[1:-1].decode("ascii"))
    except ValueError:
        return "/ByteRange leaves out more than /Contents"
    if left_out != signature.pkcs7_content:
        return "/ByteRange leaves out something else than /Contents"
    if signature.evaluate_signature_coverage() < SignatureCoverageLevel.ENTIRE_REVISION:
        return "the revision is not covered whole"
    return None


def updates_after(
    signature: EmbeddedPdfSignature, pdf: bytes, signatures: Sequence[EmbeddedPdfSignature]
) -> list[Update]:
    """Every update after the revision of a signature that covers it whole. ``signatures``: all that can be read.

    Further signatures, document timestamps, validation data (DSS) and metadata are allowed; a signature field that
    shows and was never signed is not, nor a document timestamp that shows. What stands behind the last signature is
    covered by none, or by a timestamp that anybody can have: it must be whole updates up to the end of the file, read
    to the letter.
    """
    reader = signature.reader
    signed = reader.get_historical_resolver(signature.signed_revision)
    later = range(signature.signed_revision + 1, reader.xrefs.total_revisions)
    referred = _reached(signed, [signed.root]) if later else ()
    waited_for = {one for one in referred if signed.is_ref_unassignable(one)}
    found = [_update(signature, revision, signatures, waited_for) for revision in later]
    end = end_of(signature)
    is_last = all(end_of(one) <= end for one in signatures if not is_stamp(one))
    if is_last and end < len(pdf) and not (found and reader.strict and _END.search(pdf, end)):
        found.append(Update(reader.xrefs.total_revisions, ("trailing bytes",), False))
    return found


def _update(
    signature: EmbeddedPdfSignature,
    revision: int,
    signatures: Sequence[EmbeddedPdfSignature],
    waited_for: set[generic.Reference],
) -> Update:
    """``waited_for``: objects that the signed revision refers to and does not have, which are null and must stay so;
    the library takes them for orphans of the update."""
    reader = signature.reader
    old, new = reader.get_historical_resolver(signature.signed_revision), reader.get_historical_resolver(revision)
    try:
        permitted = signature.docmdp_level
        result = _POLICY.apply(old, new, field_mdp_spec=signature.fieldmdp, doc_mdp=permitted)
    except MemoryError:
        raise
    except Exception as refused:  # the library's rules stumble over hostile objects in every way there is
        if reader.strict and isinstance(refused, PdfReadError):  # of the form: no word on what was changed
            raise
        return Update(revision + 1, _named(signature, revision), False, f"{type(refused).__name__}: {refused}"[:300])
    if waited_for & set(new.explicit_refs_in_revision()):  # type: ignore[no-untyped-call]  # the library left it out
        return Update(revision + 1, _named(signature, revision), False, "objects that the signed revision refers to")
    level = result.modification_level
    unsigned = sorted(result.changed_form_fields - {one.field_name for one in signatures if not is_stamp(one)})
    allowed = level <= ModificationLevel.FORM_FILLING and not unsigned
    allowed = allowed and (permitted is None or level.value <= permitted.value)
    brought = [is_stamp(one) for one in signatures if one.signed_revision == revision]
    changed: tuple[Change, ...] = tuple("timestamp" if stamp else "signature" for stamp in brought)
    return Update(revision + 1, changed or _named(signature, revision), allowed, ", ".join(unsigned))


def _named(signature: EmbeddedPdfSignature, revision: int) -> tuple[Change, ...]:
    """What an update changes, as far as its objects tell."""
    old, new = (signature.reader.get_historical_resolver(one) for one in (revision - 1, revision))
    try:
        changed = set(new.explicit_refs_in_revision())  # type: ignore[no-untyped-call]  # the library left it out
        before, after = _parts(old), _parts(new)
        kinds = {kind for kind in _KINDS if changed & (before[kind] | after[kind])}
        if repr(old.root.get_value_as_reference("/Pages")) != repr(new.root.get_value_as_reference("/Pages")):
            kinds.add("pages")
        elif "pages" in kinds and all(_only_annotations(ref, old, new) for ref in changed & after["pages"]):
            kinds = kinds - {"pages"} | {"annotations"}
    except MemoryError:
        raise
    except Exception:  # as above
        kinds = set()
    return tuple(kind for kind in _KINDS if kind in kinds) or ("other",)


_KINDS: tuple[Change, ...] = ("pages", "annotations", "form fields", "validation data")


def _parts(file: HistoricalResolver) -> dict[Change, set[generic.Reference]]:
    """The objects of a revision by the part of the document they belong to."""
    root = file.root
    pages = _reached(file, _below(root, "/Pages"), {"/Parent", "/Annots"})
    fields = _reached(file, _below(root, "/AcroForm"), {"/Parent", "/P"})
    annots = [value for page in pages for value in _below(file(page), "/Annots")]
    return {
        "pages": pages,
        "annotations": _reached(file, annots, {"/Parent", "/P", "/Dest", "/A"}) - fields,
        "form fields": fields,
        "validation data": _reached(file, _below(root, "/DSS")),
    }


def _below(holder: object, key: str) -> list[generic.PdfObject]:
    return [holder.raw_get(key)] if isinstance(holder, generic.DictionaryObject) and key in holder else []


def _reached(
    file: HistoricalResolver, start: Sequence[generic.PdfObject], passed: Collection[str] = ()
) -> set[generic.Reference]:
    """All that is referred to from there, not through the entries ``passed``."""
    seen: set[generic.Reference] = set()
    waiting = list(start)
    while waiting:
        one = waiting.pop()
        if isinstance(one, generic.IndirectObject):
            if one.reference in seen:
                continue
            seen.add(one.reference)
            one = file(one.reference)
        if isinstance(one, generic.DictionaryObject):
            waiting.extend(one.raw_get(name) for name in one if name not in passed)
        elif isinstance(one, generic.ArrayObject):
            waiting.extend(one)
    return seen


def _only_annotations(reference: generic.Reference, old: HistoricalResolver, new: HistoricalResolver) -> bool:
    if old.is_ref_unassignable(reference):
        return False
    pages = [file(reference) for file in (old, new)]
    if any(not isinstance(one, generic.DictionaryObject) or held(one, "/Type") != "/Page" for one in pages):
        return False
    before, after = ({name: repr(one.raw_get(name)) for name in one if name != "/Annots"} for one in pages)
    return before == after
