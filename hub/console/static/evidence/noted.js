/** How a step tells what it found: all that failed and all that could not be told, with a bound. */

const MOST = 5; // of a kind that are told; a file may have thousands
export const CLAUSES = [
  "PKWARE APPNOTE 6.3; docs/evidence.md",
  "RFC 8785; FIPS 180-4",
  "RFC 7517, RFC 7638; C2SP signed-note",
  "RFC 7515; RFC 7518 §3.4",
  "C2SP tlog-checkpoint; RFC 8032",
  "RFC 9162 §2.1.3.2",
  "FIPS 180-4",
  "QCVN 102:2016/BTTTT; docs/exchange.md",
  "XML Signature 1.1 §3.2; docs/signature.md",
  "docs/exchange.md",
  "XML Signature 1.1 §3.2; FIPS 180-4",
  "RFC 5280 §6; RFC 6960",
  "RFC 3161; RFC 9162 §2.1.4.2",
];

export class Noted {
  failed = [];
  untold = [];
  elsewhere = false; // something is left to `agency verify`

  wrong(vi, en) {
    this.failed.push([vi, en]);
  }

  open(vi, en) {
    this.untold.push([vi, en]);
  }

  /** What is not checked here. `fault` says why. */
  notHere(vi, en, fault) {
    this.elsewhere = true;
    this.open(
      `${vi}: không kiểm ở đây (${fault.vi}), hãy dùng agency verify`,
      `${en}: not checked here (${fault.en}), use agency verify`,
    );
  }

  /** `vi` and `en` name what was refused. */
  refused(vi, en, fault) {
    this.wrong(`${vi}: ${fault.vi}`, `${en}: ${fault.en}`);
  }

  /** The step, with what it says when all is right. */
  step(number, vi, en) {
    const result = this.failed.length ? "failed" : this.untold.length ? "untold" : "passed";
    const told = [...(this.failed.length ? [] : [[vi, en]]), ...some(this.failed), ...some(this.untold)];
    const [inVietnamese, inEnglish] = [0, 1].map((at) => `${told.map((texts) => texts[at]).join("; ")}.`);
    const { elsewhere } = this;
    return { number, clause: CLAUSES[number - 1], result, elsewhere, vi: inVietnamese, en: inEnglish };
  }
}

function some(told) {
  const more = told.length - MOST;
  return more <= 0 ? told : [...told.slice(0, MOST), [`và ${more} điều nữa`, `and ${more} more`]];
}
