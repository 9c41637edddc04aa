/** Every text of a header that the hub reads (hub/domain/edxml/read.py); what nobody reads may be anything. */

import { safeText, wholeText } from "./texts.js";

const ORGANIZATION = [
  "OrganId", "OrganizationInCharge", "OrganName", "OrganAdd", "Email", "Telephone", "Fax", "Website",
];
const RESPONSE_FOR = ["OrganId", "Code", "DocumentId", "PromulgationDate"];
const STAFF = ["Department", "DepartmentId", "Staff", "StaffId", "Email", "Mobile"];
const TEXTS = ["DocumentId", "Subject", "Content", "DueDate", "SteeringType", "ApplicationType"];
const GROUPS = {
  From: ORGANIZATION,
  Code: ["CodeNumber", "CodeNotation"],
  PromulgationInfo: ["Place", "PromulgationDate"],
  DocumentType: ["Type", "TypeDetail", "TypeName"],
  SignerInfo: ["Competence", "Position", "FullName"],
  OtherInfo: [
    "Priority", "SphereOfPromulgation", "TyperNotation", "PromulgationAmount", "PageAmount", "ReplyFors", "Direction",
    "ReferenceCodes",
  ],
  ResponseForTask: ["TaskCode"],
  ToPlaces: ["Place"],
};
const ROWS = { To: ORGANIZATION, ResponseFor: RESPONSE_FOR };
const BUSINESS = ["DocumentId", "BussinessDocType", "BussinessDocReason", "Paper"];

const childrenOf = (parent, ...names) => parent?.elements.filter((each) => names.includes(each.local)) ?? [];
const check = (parent, names) => childrenOf(parent, ...names).forEach(safeText);

/** Throws Refusal for a text that cannot be normalised in fair time. */
export function checkDocumentTexts({ header, messageHeader }) {
  check(messageHeader, TEXTS);
  for (const [group, names] of Object.entries(GROUPS)) check(messageHeader.child(group), names);
  for (const [row, names] of Object.entries(ROWS)) childrenOf(messageHeader, row).forEach((each) => check(each, names));
  check(messageHeader.child("OtherInfo")?.child("Appendixes"), ["Appendix"]);
  const known = [...TEXTS, ...Object.keys(GROUPS), ...Object.keys(ROWS)];
  messageHeader.elements.filter((each) => !known.includes(each.local)).forEach(wholeText);
  const traces = header.child("TraceHeaderList");
  childrenOf(traces, "TraceHeader").forEach((each) => check(each, ["OrganId", "Timestamp"]));
  checkBusiness(traces?.child("Bussiness"));
}

function checkBusiness(business) {
  check(business, BUSINESS);
  childrenOf(business, "StaffInfo").forEach((each) => check(each, STAFF));
  for (const info of childrenOf(business, "BussinessDocumentInfo")) {
    check(info, ["DocumentInfo", "DocumentReceiver"]);
    const receivers = childrenOf(info, "ReceiverList").flatMap((list) => childrenOf(list, "Receiver"));
    receivers.forEach((each) => check(each, ["OrganId", "ReceiverType"]));
  }
  const replaced = childrenOf(business, "ReplacementInfoList").flatMap((list) => childrenOf(list, "ReplacementInfo"));
  for (const info of replaced) {
    safeText(info.child("DocumentId"));
    check(info.child("OrganIdList"), ["OrganId"]);
  }
}

/** As `checkDocumentTexts`, of a status packet. */
export function checkStatusTexts({ messageHeader }) {
  check(messageHeader, ["StatusCode", "Description", "Timestamp"]);
  check(messageHeader.child("From"), ORGANIZATION);
  check(messageHeader.child("ResponseFor"), RESPONSE_FOR);
  check(messageHeader.child("StaffInfo"), STAFF);
}
