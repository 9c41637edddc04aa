/**
 * What the log signs: its size and root (C2SP tlog-checkpoint) as a note under Ed25519 keys (C2SP signed-note).
 *
 * A note has one spelling. Its text counts for nothing before a known key's signature was verified.
 */

import { NotHereError } from "../faults.js";
import { base64, concat, equal, fromPlainBase64, fromUtf8, hex, sha256, utf8 } from "../octets.js";

export const MAX_SIZE = 2 ** 40; // leaves
const MAX_NOTE = 1_000_000; // bytes
const ED25519 = 1; // signed-note: the type of an Ed25519 signature over the text itself
const SIZE = /^(?:0|[1-9][0-9]{0,12})$/;
const LINE = /^[^\x00-\x1f]+$/;
const NAME = "[^\\s\\x85+\\x00-\\x1f]+";
const SIGNATURE = new RegExp(`^— (${NAME}) ([A-Za-z0-9+/=]+)$`);

/** Reads `name+id+key`; throws Error for another form, another type, or an id of another key. */
export async function verifierKey(text) {
  if (typeof text !== "string") throw new Error("a verifier key is a text");
  const [name, , ...rest] = text.split("+");
  const octets = plain(rest.join("+"));
  if (!new RegExp(`^${NAME}$`).test(name) || octets.length !== 33) {
    throw new Error("the verifier key is not the name, the id and the Ed25519 key that belong together");
  }
  const typed = concat([Uint8Array.of(ED25519), octets.subarray(1)]);
  const id = (await sha256(concat([utf8(`${name}\n`), typed]))).slice(0, 4);
  if (text !== `${name}+${hex(id)}+${base64(typed)}`) {
    throw new Error("the verifier key is not the name, the id and the Ed25519 key that belong together");
  }
  return { name, id, text, octets: octets.slice(1) };
}

/** `{origin, size, root}` of the log `origin`; throws Error unless one of `keys` signed it. */
export async function verifyCheckpoint(note, keys, origin) {
  const checkpoint = read(await openNote(note, keys));
  if (checkpoint.origin !== origin) {
    throw new Error(`the checkpoint is of the log '${checkpoint.origin}', not '${origin}'`);
  }
  return checkpoint;
}

/** A checkpoint from a note's text (tlog-checkpoint, "Note text"). */
function read(text) {
  const lines = text.split("\n");
  if (lines.length < 4 || lines.pop()) {
    throw new Error("a checkpoint has at least three lines, each ended by a line feed");
  }
  const [origin, size, root, ...extensions] = lines;
  if (!SIZE.test(size)) throw new Error("the tree size is not a decimal number without leading zeros");
  if (![origin, ...extensions].every((line) => LINE.test(line))) {
    throw new Error("a line of the checkpoint is empty or has control characters");
  }
  if (Number(size) > MAX_SIZE) throw new Error(`a tree of ${size} leaves is out of bounds`);
  const octets = plain(root);
  if (octets.length !== 32) throw new Error("the root is not 32 bytes long");
  return { origin, size: Number(size), root: octets };
}

/** The text of a note that at least one of `keys` signed. A wrong signature under a known name refuses it. */
async function openNote(note, keys) {
  const { text, signatures } = parts(note);
  let verified = false;
  for (const { name, id, signature } of signatures) {
    for (const key of keys.filter((one) => one.name === name && equal(one.id, id))) {
      if (!(await isSigned(key, signature, utf8(text)))) throw new Error(`the signature of ${key.name} is wrong`);
      verified = true;
    }
  }
  if (!verified) throw new Error("no known key signed the note");
  return text;
}

async function isSigned(key, signature, octets) {
  let imported;
  try {
    imported = await crypto.subtle.importKey("raw", key.octets, { name: "Ed25519" }, false, ["verify"]);
  } catch (fault) {
    if (fault.name !== "NotSupportedError") return false;
    throw new NotHereError("trình duyệt này không có Ed25519", "this browser has no Ed25519");
  }
  return crypto.subtle.verify({ name: "Ed25519" }, imported, signature, octets);
}

function parts(note) {
  if (note.length > MAX_NOTE) throw new Error(`a note of ${note.length} bytes, above ${MAX_NOTE}`);
  let whole;
  try {
    whole = fromUtf8(note);
  } catch {
    throw new Error("the note is not UTF-8");
  }
  const border = whole.lastIndexOf("\n\n"); // the text may have empty lines; the last one is the border
  const lines = whole.slice(border + 2).split("\n");
  if (border < 0 || lines.pop()) {
    throw new Error("a note is a text, an empty line and signatures, each line ended by a line feed");
  }
  const text = whole.slice(0, border + 1);
  if (!text.split("\n").every((line) => !line || LINE.test(line))) {
    throw new Error("the text does not end in a line feed or has control characters");
  }
  const signatures = lines.map((line) => {
    const match = SIGNATURE.exec(line);
    const signature = match ? plain(match[2]) : [];
    if (signature.length < 5) {
      throw new Error("a signature line is not: em dash, name of the key, id and signature in base64");
    }
    return { name: match[1], id: signature.slice(0, 4), signature: signature.slice(4) };
  });
  return { text, signatures };
}

function plain(text) {
  try {
    return fromPlainBase64(text);
  } catch {
    throw new Error("base64 is not in its one form");
  }
}
