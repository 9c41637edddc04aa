/** What the verification throws. Whatever else is thrown is a defect of this page. */

/** What is wrong, in Vietnamese and English: a sentence's part, to stand after a colon. */
export class EvidenceError extends Error {
  constructor(vi, en) {
    super(en);
    this.vi = vi;
    this.en = en;
  }
}

/** What this browser cannot do, or this page does not: neither right nor wrong. */
export class NotHereError extends EvidenceError {}
