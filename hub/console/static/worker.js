/** Verifies beside the page, so that a large or hostile file stops nothing but itself. */

import { MAX_FILE } from "./evidence/container.js";
import { pinnedKeys } from "./evidence/keys.js";
import { verify } from "./evidence/verification.js";
import { EvidenceError } from "./faults.js";
import { fromUtf8 } from "./octets.js";
import { certificatesOfPem } from "./trust/certificate.js";

const MOST_KEYS = 1024 * 1024; // bytes of a file with pinned keys

/** As many bytes as a verdict needs: of a larger file it is that it is too large. */
const octetsOf = async (blob, most) => new Uint8Array(await blob.slice(0, most + 1).arrayBuffer());

onmessage = async ({ data: { file, keys, stampers } }) => {
  try {
    postMessage(await answer(file, keys, stampers));
  } catch (fault) {
    const unreadable = ["NotReadableError", "NotFoundError"].includes(fault.name);
    postMessage(unreadable ? { unreadable } : { broken: String(fault) });
  }
};

async function answer(file, keys, stampers) {
  const read = (blobs) => Promise.all(blobs.map((blob) => octetsOf(blob, MOST_KEYS)));
  let [pinned, roots] = [null, []];
  try {
    if (keys.length) pinned = await pinnedKeys(await read(keys));
    for (const octets of await read(stampers)) roots = roots.concat(await certificatesOfPem(fromUtf8(octets)));
  } catch (fault) {
    if (fault instanceof EvidenceError) return { keysBad: { vi: fault.vi, en: fault.en } };
    throw fault;
  }
  return verify(await octetsOf(file, MAX_FILE), pinned, roots);
}
