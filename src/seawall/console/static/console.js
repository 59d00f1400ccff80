// What JavaScript adds to pages that work without it: the form token for htmx, where the focus goes, the keyboard.

import { listenToPanic } from "./blank.js";
import { listenToHands } from "./holding.js";
import { listenToKeys, openHelp } from "./keys.js";
import { listenToPalette } from "./palette.js";

const token = document.querySelector('meta[name="csrf-token"]')?.content ?? "";

document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRF-Token"] = token;
  // What a page asks on a clock is no sign that somebody is there.
  if (event.detail.triggeringEvent?.type === "hx:poll:trigger") event.detail.headers["X-Seawall-By-Itself"] = "yes";
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

// The focus follows what has just happened.
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.requestConfig?.verb === "post") document.querySelector("#notice [data-next]")?.focus();
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

// A page that shows what would happen begins there.
document.querySelector("[data-focus]")?.focus();

listenToPanic();
listenToHands();
listenToKeys();
listenToPalette();
