"""The vocabulary of QCVN 102:2016: element names on the wire against field names inside.

Every table is in the order in which the vendor's library writes the elements; the reader ignores order.
``Bussiness`` is the standard's own spelling; the correct one is not read by anybody.
"""

from __future__ import annotations

from typing import Final

QCVN: Final = "http://www.mic.gov.vn/TBT/QCVN_102_2016"
DSIG: Final = "http://www.w3.org/2000/09/xmldsig#"
XLINK: Final = "http://www.w3.org/1999/xlink"

ORGANIZATION: Final = {
    "OrganId": "organ_id",
    "OrganizationInCharge": "in_charge",
    "OrganName": "name",
    "OrganAdd": "address",
    "Email": "email",
    "Telephone": "telephone",
    "Fax": "fax",
    "Website": "website",
}
CODE: Final = {"CodeNumber": "number", "CodeNotation": "symbol"}
PROMULGATION: Final = {"Place": "place", "PromulgationDate": "promulgation_date"}
DOCUMENT_TYPE: Final = {"Type": "type", "TypeDetail": "type_detail", "TypeName": "type_name"}
SIGNER: Final = {"Competence": "competence", "Position": "position", "FullName": "signer"}
OTHER: Final = {
    "Priority": "priority",
    "SphereOfPromulgation": "sphere",
    "TyperNotation": "typer",
    "PromulgationAmount": "copies",
    "PageAmount": "pages",
    "ReplyFors": "reply_fors",
    "Direction": "direction",
    "ReferenceCodes": "reference_codes",
}
GROUPS: Final = {
    "Code": CODE,
    "PromulgationInfo": PROMULGATION,
    "DocumentType": DOCUMENT_TYPE,
    "SignerInfo": SIGNER,
    "OtherInfo": OTHER,
}
TEXTS: Final = {
    "DocumentId": "document_id",
    "Subject": "subject",
    "Content": "content",
    "DueDate": "due_date",
    "SteeringType": "steering_type",
    "ApplicationType": "application_type",
}
LISTS: Final = {"ResponseForTask": "TaskCode", "ToPlaces": "Place"}
MESSAGE_HEADER: Final = frozenset({"From", "To", "ResponseFor", *GROUPS, *TEXTS, *LISTS})

RESPONSE_FOR: Final = {
    "OrganId": "organ_id",
    "Code": "code",
    "DocumentId": "document_id",
    "PromulgationDate": "promulgation_date",
}
STAFF: Final = {
    "Department": "department",
    "DepartmentId": "department_id",
    "Staff": "staff",
    "StaffId": "staff_id",
    "Email": "email",
    "Mobile": "mobile",
}
BUSINESS: Final = {
    "DocumentId": "document_id",
    "BussinessDocType": "type",
    "BussinessDocReason": "reason",
    "Paper": "paper",
}
DOCUMENT_INFO: Final = {"DocumentInfo": "document_info", "DocumentReceiver": "document_receiver"}
RECEIVER: Final = {"OrganId": "organ_id", "ReceiverType": "receiver_type"}
TRACE: Final = {"OrganId": "organ_id", "Timestamp": "timestamp"}
STATUS: Final = {"StatusCode": "status", "Description": "description", "Timestamp": "timestamp"}
MANIFEST: Final = {
    "ContentId": "content_id",
    "ContentType": "content_type",
    "Description": "description",
    "AttachmentName": "name",
}
