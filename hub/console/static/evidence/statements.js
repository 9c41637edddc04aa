/** What a receipt states, by its kind. Whatever else a statement says is left alone: a later hub may say more. */

import { EvidenceError } from "../faults.js";

const MOMENT =
  /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(?:Z|([+-])(\d{2}):?(\d{2}))$/;
const NEEDED = {
  accept: ["document", "document_id", "sha256", "sender", "issuer", "at"],
  handover: ["document", "recipient", "sha256", "delivery", "at"],
  status: ["report", "document", "status", "sha256", "sender", "addressee", "at"],
};
export const KINDS = Object.keys(NEEDED);

/** Milliseconds since 1970 of an ISO 8601 moment with its zone; throws RangeError. */
export function readMoment(text) {
  const match = typeof text === "string" ? MOMENT.exec(text) : null;
  if (!match) throw new RangeError("at");
  const [, year, month, day, hour, minute, second = "0", fraction = "0", sign, hours = "0", minutes = "0"] = match;
  const parts = [+year, month - 1, +day, +hour, +minute, +second, Math.floor(Number(`0.${fraction}`) * 1000)];
  const moment = new Date(Date.UTC(...parts));
  const isDate = moment.getUTCMonth() === parts[1] && moment.getUTCDate() === parts[2];
  if (!isDate || parts[3] > 23 || parts[4] > 59 || parts[5] > 59) throw new RangeError("at");
  const offset = (Number(hours) * 60 + Number(minutes)) * 60_000;
  return moment.getTime() - (sign === "-" ? -offset : offset);
}

/** The statement with its `kind`, moments read. Throws EvidenceError for one of another kind or without its members. */
export function statementOf(kind, raw) {
  const lacking = (why) => {
    return new EvidenceError(`nội dung không phải của ${kind} (${why})`, `it states no ${kind} (${why})`);
  };
  if (typeof raw.kind !== "string") throw lacking("kind");
  if (raw.kind !== kind) throw lacking(`kind: ${raw.kind.slice(0, 20)}`);
  const { recipients: codes } = raw;
  const isCodes = Array.isArray(codes) && codes.every((code) => typeof code === "string");
  if (kind === "accept" && !isCodes) throw lacking("recipients");
  for (const name of NEEDED[kind]) if (typeof raw[name] !== "string") throw lacking(name);
  if (kind === "handover") return { ...raw, kind };
  try {
    const at = readMoment(raw.at);
    const year = Number(raw.at.slice(0, 4));
    if (year < 2000 || year > 2199) throw new RangeError("at");
    return { ...raw, kind, at };
  } catch {
    throw lacking("at");
  }
}
