// Ctrl-K: find a case from anywhere. What is typed goes out only when it is sent, and leaves the page with the dialog.

function hits() {
  return [...document.querySelectorAll("#found [data-hit]")];
}

function open() {
  const palette = document.getElementById("palette");
  if (!palette || palette.open || document.querySelector("dialog[open]")) return;
  palette.showModal();
  document.getElementById("palette-words").focus();
}

function move(step) {
  const places = [document.getElementById("palette-words"), ...hits()];
  const here = Math.max(0, places.indexOf(document.activeElement));
  places[Math.min(places.length - 1, Math.max(0, here + step))].focus();
}

export function listenToPalette() {
  const palette = document.getElementById("palette");
  if (!palette) return;
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      open();
    } else if (palette.open && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      move(event.key === "ArrowDown" ? 1 : -1);
    }
  });
  // The first of what was found is one press of Enter away.
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target.id === "found" && palette.open) hits()[0]?.focus();
  });
  palette.addEventListener("click", (event) => {
    if (event.target.closest("[data-hit]")) palette.close();
  });
  palette.addEventListener("close", () => {
    document.getElementById("palette-words").value = "";
    document.getElementById("found").replaceChildren();
  });
  for (const button of document.querySelectorAll("[data-palette]")) {
    button.hidden = false;
    button.addEventListener("click", open);
  }
}
