/** The page: takes the files, has a worker verify them, shows what it found. Every text goes in as text. */

import { STEPS, TEXTS } from "./texts.js";

const SIGNS = { passed: "✓", failed: "✗", untold: "!", missing: "–" };
const ALWAYS = 12; // steps; that about timestamps is there where they are
const part = (id) => document.getElementById(id);
const shown = { lang: location.hash === "#en" ? "en" : "vi", name: "", found: null, working: false };
let worker = null;
let file = null;
let dropped = []; // key files that were dropped and not chosen

function element(tag, text = "", className = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = className;
  return made;
}

/** Everything anew, in the language that is chosen. */
function show() {
  const texts = TEXTS[shown.lang];
  document.documentElement.lang = shown.lang;
  document.title = texts.title;
  for (const each of document.querySelectorAll("[data-text]")) each.textContent = texts[each.dataset.text];
  for (const each of document.querySelectorAll("[data-lang]")) {
    each.setAttribute("aria-pressed", String(each.dataset.lang === shown.lang));
  }
  part("fault").textContent = texts.insecure;
  const { text, result } = shown.working ? { text: texts.working, result: "" } : verdict(texts);
  part("verdict").textContent = text;
  part("verdict").className = result;
  const { found } = shown;
  part("result").hidden = shown.working || !found?.steps;
  if (found?.steps) {
    part("facts").replaceChildren(...facts(found, texts));
    const told = STEPS[shown.lang].slice(0, Math.max(ALWAYS, found.steps.length));
    part("steps").replaceChildren(...told.map((each, at) => step(each, at + 1, found.steps[at], texts)));
  }
}

function verdict(texts) {
  const { found, lang } = shown;
  if (!found) return { text: "", result: "" };
  if (found.broken) return { text: texts.broken(found.broken), result: "untold" };
  if (found.unreadable) return { text: texts.unreadable, result: "untold" };
  if (found.keysBad) return { text: texts.keysBad(found.keysBad[lang]), result: "untold" };
  const numbers = (fits) => found.steps.filter(fits).map((each) => each.number).join(", ");
  const failed = numbers((each) => each.result === "failed");
  const elsewhere = numbers((each) => each.elsewhere);
  const open = numbers((each) => each.result === "untold");
  if (failed) return { text: texts.verdictFailed(failed), result: "failed" };
  if (elsewhere) return { text: texts.verdictElsewhere(elsewhere), result: "untold" };
  if (!found.pinned) return { text: texts.verdictOwn, result: "untold" };
  return { text: open ? texts.verdictOpen(open) : texts.verdictPassed, result: "passed" };
}

function facts(found, texts) {
  const rests = found.pinned ? texts.restsOnPinned : texts.restsOnOwn;
  const trusted = !found.pinned || found.steps.some((each) => each.number === 3 && each.result === "passed");
  const rows = [
    [texts.fileName, shown.name],
    ...(found.document ? [[texts.document, found.document]] : []),
    ...(trusted && found.keys.length ? [[texts.restsOn, rests, ...found.keys]] : []),
    ...(found.roots.length ? [[texts.roots, "", ...found.roots]] : []),
  ];
  return rows.flatMap(([name, value, ...codes]) => {
    const said = element("dd", value);
    said.append(...codes.map((code) => element("code", code)));
    return [element("dt", name), said];
  });
}

function step([name, proves, provesNot], number, found, texts) {
  const item = element("li");
  const result = found?.result ?? "missing";
  item.dataset.number = number;
  item.dataset.result = result;
  const title = element("h3", `${SIGNS[result]} ${number}. ${name}: `);
  title.append(element("span", texts[result], result));
  item.append(title);
  if (found) item.append(element("p", found[shown.lang]));
  const more = element("details");
  more.append(element("summary", texts.more));
  more.append(element("p", `${texts.proves}: ${proves}`), element("p", `${texts.provesNot}: ${provesNot}`));
  if (found) more.append(element("p", `${texts.clause}: ${found.clause}`));
  item.append(more);
  return item;
}

/** A worker that is ready; begun before it is needed, so that nothing is loaded once the page is there. */
function spawn() {
  worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
  const done = (found) => {
    Object.assign(shown, { found, working: false });
    show();
  };
  worker.onmessage = ({ data }) => done(data);
  worker.onerror = ({ message }) => {
    worker = null;
    done({ broken: message ?? "worker" });
  };
}

/** Verifies the chosen file by the chosen keys; what was begun before is given up. */
function verify() {
  if (!file) return;
  if (shown.working || !worker) {
    worker?.terminate();
    spawn();
  }
  const pasted = part("key-text").value.trim();
  const keys = [...part("key-files").files, ...dropped, ...(pasted ? [new Blob([pasted])] : [])];
  Object.assign(shown, { name: file.name, found: null, working: true });
  show();
  worker.postMessage({ file, keys, stampers: [...part("tsa-files").files] });
}

function drop(event) {
  event.preventDefault();
  const files = [...event.dataTransfer.files];
  const evidence = files.find((each) => each.name.toLowerCase().endsWith(".zip"));
  file = evidence ?? file;
  const keys = files.filter((each) => each !== evidence);
  if (keys.length) dropped = keys;
  verify();
}

part("languages").addEventListener("click", ({ target }) => {
  if (!target.dataset.lang) return;
  shown.lang = target.dataset.lang;
  history.replaceState(null, "", `#${shown.lang}`);
  show();
});
part("file").addEventListener("change", ({ target }) => {
  file = target.files[0] ?? file;
  verify();
});
part("key-files").addEventListener("change", () => {
  dropped = [];
  verify();
});
part("key-text").addEventListener("change", verify);
part("tsa-files").addEventListener("change", verify);
part("form").addEventListener("submit", (event) => event.preventDefault());
addEventListener("dragover", (event) => event.preventDefault());
const canVerify = Boolean(globalThis.crypto?.subtle);
if (canVerify) {
  addEventListener("drop", drop);
  spawn();
}
part("form").hidden = !canVerify;
part("fault").hidden = canVerify;
show();
