// The panic key: Escape twice at once blanks the whole page, without asking the server, until somebody wants it back.

const WITHIN_MS = 700;

let escapedAt = -Infinity;

export function isBlank() {
  return document.documentElement.hasAttribute("data-blank");
}

function showAgain() {
  document.documentElement.removeAttribute("data-blank");
  document.querySelector(".blank")?.remove();
}

export function blank() {
  if (isBlank()) return;
  document.dispatchEvent(new CustomEvent("seawall:blank"));
  const cover = document.createElement("div");
  cover.className = "blank";
  const button = document.createElement("button");
  button.type = "button";
  button.className = "plain";
  button.textContent = "Show the page again";
  button.addEventListener("click", showAgain);
  cover.append(button);
  document.documentElement.dataset.blank = "";
  document.body.append(cover);
  cover.tabIndex = -1;
  cover.focus();
}

export function listenToPanic() {
  // First of all listeners: what is blank hears no key but those of its one button.
  window.addEventListener(
    "keydown",
    (event) => {
      if (isBlank()) {
        event.stopImmediatePropagation();
        if (event.key === "Escape") event.preventDefault();
      } else if (event.key === "Escape" && !event.repeat) {
        if (event.timeStamp - escapedAt < WITHIN_MS) blank();
        escapedAt = event.timeStamp;
      }
    },
    true,
  );
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-blank-page]")) blank();
  });
}
