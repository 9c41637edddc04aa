// A run under way: looks every two seconds how far it is, until it has ended. Without this the page has a link for it.

const wait = () => new Promise((done) => setTimeout(done, 2000));

let part = document.getElementById("outcome");
while (part && "going" in part.dataset) {
  await wait();
  const answer = await fetch(location.href, { credentials: "same-origin" }).catch(() => null);
  if (!answer || !answer.ok || answer.redirected) continue;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("outcome");
  if (!fresh || part.contains(document.activeElement) && "going" in fresh.dataset) continue; // who works in it is not disturbed
  if (!("going" in fresh.dataset)) document.getElementById("stop")?.remove();
  part.replaceWith(fresh);
  part = fresh;
}
