/**
 * Receipts: a JWS (RFC 7515, compact, ES256) whose payload is the statement and `log`, where it will be found:
 * `entry` = SHA-256(nonce ‖ the statement in RFC 8785), and the leaf over it.
 */

import { concat, equal, fromBase64Url, fromHex, fromUtf8, sha256, utf8 } from "../octets.js";
import { leafHash } from "./merkle.js";
import { readMoment } from "./statements.js";
import { written } from "./strict.js";

const TYPE = "lienthong-receipt+json";
const LONGEST = 1024 * 1024; // characters
const LONGEST_HEADER = 512; // of its Base64
const HEADER = { alg: "string", kid: "string", typ: "string" };

/** `{statement, origin, leaf}`, if one of `keys` signed it and the log's entry is of this statement. Throws Error. */
export async function readReceipt(receipt, keys) {
  if (receipt.length > 2 * LONGEST || [...receipt].length > LONGEST) {
    throw new Error(`longer than ${LONGEST} characters`);
  }
  const payload = await signedPayload(receipt, keys);
  const isObject = payload !== null && typeof payload === "object" && !Array.isArray(payload);
  if (!isObject) throw new Error("signed, but no receipt");
  const { log, ...statement } = payload;
  if (!Object.values(statement).every(isStated)) throw new Error("signed, but no receipt: texts and lists of texts");
  let entry, nonce, leaf;
  try {
    [entry, nonce, leaf] = [fromHex(log.entry), fromHex(log.nonce), fromHex(log.leaf)];
    readMoment(log.by);
  } catch (fault) {
    throw new Error(`signed, but no receipt: ${fault.message}`);
  }
  if (typeof log.origin !== "string") throw new Error("signed, but no receipt: origin");
  if (nonce.length !== 16) throw new Error(`signed, but its nonce has ${nonce.length} bytes, not 16`);
  const found = await sha256(concat([nonce, written(statement)]));
  if (!equal(found, entry) || !equal(await leafHash(entry), leaf)) {
    throw new Error("signed, but the log's entry is not of this statement");
  }
  return { statement, origin: log.origin, leaf };
}

async function signedPayload(receipt, keys) {
  const segments = receipt.split(".");
  if (segments.length !== 3) throw new Error("not signed by a key that is known: no compact JWS");
  const [head, body, value] = segments;
  let header, signature;
  try {
    signature = fromBase64Url(value);
  } catch {
    throw new Error("its signature is not written as RFC 7515 §2 has it"); // else one text would have several
  }
  try {
    if (head.length > LONGEST_HEADER) throw new Error("header");
    header = JSON.parse(fromUtf8(fromBase64Url(head)));
    const named = Object.entries(header).every(([name, said]) => typeof said === HEADER[name]);
    if (!named || header.alg !== "ES256") throw new Error("header");
  } catch {
    throw new Error("not signed by a key that is known: its header is not that of ES256");
  }
  const key = keys.find((one) => one.kid === header.kid);
  if (!key) throw new Error(`not signed by a key that is known: ${header.kid}`);
  const octets = utf8(`${head}.${body}`);
  const right = await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key.key, signature, octets);
  if (!right) throw new Error("not signed by a key that is known: the signature is wrong");
  if (header.typ !== TYPE) throw new Error(`of the type ${header.typ}, not ${TYPE}`);
  try {
    return JSON.parse(fromUtf8(fromBase64Url(body)));
  } catch {
    throw new Error("signed, but no receipt: no JSON");
  }
}

const isText = (value) => value === null || (typeof value === "string" && value.isWellFormed());
const isStated = (value) => (Array.isArray(value) ? value.every(isText) : isText(value));
