// Tells how many lines are new. The rows on the page stay where they are.

const EVERY = 5000; // milliseconds

const place = document.querySelector("[data-news]");
const look = async () => {
  if (!document.hidden) {
    try {
      const answer = await fetch(place.dataset.news, { headers: { accept: "application/json" } });
      if (!answer.ok || answer.redirected) return; // signed out: the next click leads to where one signs in
      const { text } = await answer.json();
      if (place.textContent !== text) place.textContent = text;
      place.hidden = text === "";
    } catch {
      // the hub is away; asked again
    }
  }
  setTimeout(look, EVERY);
};
if (place) setTimeout(look, EVERY);
