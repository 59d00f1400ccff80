// What JavaScript adds to pages that work without it: the form token for htmx, where the focus goes, the keyboard.

import { listenToKeys, openHelp } from "./keys.js";

const token = document.querySelector('meta[name="csrf-token"]')?.content ?? "";

document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRF-Token"] = token;
});

// A network that is gone must be said, not left to a silent button.
document.addEventListener("htmx:sendError", () => {
  const message = document.createElement("div");
  message.className = "message trouble";
  const text = document.createElement("p");
  text.textContent = "Seawall cannot be reached. Nothing was changed; try again in a moment.";
  message.append(text);
  document.getElementById("notice")?.replaceChildren(message);
});

// Where the focus was when something was asked for, by the id of the place that the answer goes to.
const focusedBefore = new Map();

document.addEventListener("htmx:beforeRequest", (event) => {
  focusedBefore.set(event.detail.target.id, document.activeElement);
});

// Whether the person has gone elsewhere while the answer was on its way: then the focus is theirs. Taken away from
// them, the next key would press something that they did not mean, such as what shows a picture.
function hasGoneOn(place) {
  const here = document.activeElement;
  return here && here !== document.body && here !== focusedBefore.get(place.id) && !place.contains(here);
}

// The focus follows what has just happened. After a look it rests on "Hide": pressing on must never show more.
document.addEventListener("htmx:afterSettle", (event) => {
  const place = event.detail.target;
  if (place.id?.startsWith("picture-")) {
    if (hasGoneOn(place)) return;
    (place.querySelector("[data-hide]") ?? place.querySelector("[data-reveal]"))?.focus();
  } else if (event.detail.requestConfig?.verb === "post") {
    document.querySelector("#notice [data-next]")?.focus();
  }
});

// A key that is held down presses a button once.
document.addEventListener(
  "keydown",
  (event) => {
    if (event.repeat && event.target.closest?.("button")) event.preventDefault();
  },
  true,
);

for (const button of document.querySelectorAll("[data-help]")) {
  button.hidden = false;
  button.addEventListener("click", openHelp);
}

listenToKeys();
