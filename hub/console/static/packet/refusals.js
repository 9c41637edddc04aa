/** What a packet is refused with: a code of the hub's catalogue, whose texts the hub serves beside this file. */

import { EvidenceError } from "../faults.js";
import { PROBLEMS } from "../problems.js";

export class Refusal extends EvidenceError {
  constructor(code, facts = {}) {
    const [vi, en] = PROBLEMS[code].map((text) => text.replace(/\{(\w+)\}/g, (_, name) => facts[name] ?? ""));
    super(vi.replace(/\.$/, ""), en.replace(/\.$/, ""));
    this.code = code;
  }
}

/** `why` names the offending part in XML Signature's own words, which need no translation. */
export const badForm = (why) => new Refusal("signature-form", { why: why.slice(0, 200) });
