"""The letters a document says it answers: what its ResponseFor name.

A revocation names there what it revokes too; that is a target (``hub.domain.duplicates``), and no reference. Whether
the hub knows such a letter is asked when somebody looks: the answer may come before it.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from hub.domain import numbering
from hub.domain.agency import Directory
from hub.domain.document import Document, DocumentRef, Kind, Organization, read_date

# Characters; what may name a document here is shorter. The longer is kept for the eye, as nothing limits it elsewhere.
_LONGEST_CODE, _LONGEST_TEXT = 64, 250


class Reference(NamedTuple):
    """A letter of others, as far as it is named; ``""`` and None for what is not."""

    organ_id: str  # the agency's resolved code; where none is given, the one its DocumentId begins with
    named: str  # canonical DocumentId
    code: str  # number/symbol as written
    promulgated_on: date | None
    business: str | None  # the business identity it has when that agency sent it


def references(document: Document, directory: Directory, sender: str) -> tuple[Reference, ...]:
    """What a document of this sender answers, each once; a ResponseFor with neither id nor number names nothing."""
    found = [_reference(ref, directory) for ref in document.response_for if ref.document_id or ref.code]
    if document.kind is Kind.REVOCATION:
        found = [each for each in found if not _is_own(each, directory, sender)]
    return tuple(dict.fromkeys(found))


def _is_own(reference: Reference, directory: Directory, sender: str) -> bool:
    """Known here or not, a revocation means to revoke it (exchange rules 4)."""
    return reference.organ_id == sender or directory.same(reference.named.partition(",")[0], sender)


def _reference(ref: DocumentRef, directory: Directory) -> Reference:
    named = numbering.canonical_document_id(ref.document_id)
    of_id, comma, _ = named.partition(",")
    organ_id = directory.resolve(ref.organ_id or (of_id if comma else ""))
    day = read_date(ref.promulgation_date)
    business = _business(organ_id, ref.code, day, directory) if organ_id and day else None
    texts = _cut(organ_id, _LONGEST_CODE), _cut(named, _LONGEST_TEXT), _cut(ref.code, _LONGEST_TEXT)
    return Reference(*texts, day, business)


def _business(organ_id: str, code: str, day: date, directory: Directory) -> str | None:
    number, symbol = numbering.split_code(code)
    if not number:
        return None
    # The Government Office sends what the Prime Minister and the Government issue.
    sender = "G22" if organ_id in {"TTg", "CP"} else organ_id
    written = Document(Organization(organ_id=sender), (), symbol=symbol)
    issuer = numbering.issuer(written, directory).code
    return numbering.business_identity(sender, issuer, day.year, number, symbol)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
