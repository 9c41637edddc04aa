// Live parts of a page, and the menu on a phone. Pages work without it.

const menu = document.querySelector(".menu");
if (menu && matchMedia("(max-width: 900px)").matches) menu.open = false;

// A form that changes something is sent once: the answer to a second click would take the place of the first one's.
const sent = new WeakSet();
addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (sent.has(form)) event.preventDefault();
  sent.add(form);
  setTimeout(() => freeze(form, true)); // once it is on its way: with it goes the name of the button
});
addEventListener("pageshow", () => { // whoever comes back may send it again
  for (const form of document.forms) {
    if (sent.delete(form)) freeze(form, false);
  }
});
const freeze = (form, still) => {
  for (const button of form.querySelectorAll("button")) button.disabled = still;
};

// <main data-live="/address">: the server sends {id: html} whenever a part has changed; each is its own text, escaped.
const place = document.querySelector("[data-live]");
if (place) {
  const told = document.querySelector("[data-state]");
  const say = (state) => {
    if (!told) return;
    told.dataset.state = state;
    told.textContent = told.dataset[state];
  };
  const source = new EventSource(place.dataset.live);
  source.addEventListener("open", () => say("on"));
  // Closed by an answer that is none, such as a proxy's 502: the browser does not ask again.
  source.addEventListener("error", () => say(source.readyState === EventSource.CLOSED ? "lost" : "off"));
  source.addEventListener("parts", (event) => {
    for (const [id, text] of Object.entries(JSON.parse(event.data))) {
      const part = document.getElementById(id);
      if (!part || part.contains(document.activeElement)) continue; // who works in it is not disturbed
      const open = new Set([...part.querySelectorAll("details[open][id]")].map((each) => each.id));
      const fresh = new DOMParser().parseFromString(text, "text/html");
      part.replaceChildren(...fresh.body.childNodes);
      for (const each of part.querySelectorAll("details[id]")) each.open = open.has(each.id);
    }
  });
  source.addEventListener("over", () => {
    source.close();
    say("over");
  });
}
