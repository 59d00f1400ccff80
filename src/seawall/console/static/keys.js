// The keyboard. Every key only moves the focus or presses a button that is on the page.

import { chooseStage, hold } from "./holding.js";

const ROWS = "[data-row] .whole, [data-item]";
const GO_WITHIN_MS = 1500;

let goUntil = 0;

export function openHelp() {
  const help = document.getElementById("help");
  if (help && !help.open) help.showModal();
}

function isWriting(element) {
  return element.matches?.('textarea, select, input:not([type="radio"]):not([type="checkbox"])');
}

function move(step) {
  const rows = [...document.querySelectorAll(ROWS)];
  if (!rows.length) return;
  const here = rows.findIndex((row) => row.contains(document.activeElement));
  const next = here < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, here + step));
  rows[next].focus();
  rows[next].scrollIntoView({ block: "nearest" });
}

// The item that holds the focus; without one, the first that is still to decide.
function currentItem() {
  return (
    document.activeElement?.closest("[data-item]") ??
    document.querySelector("[data-item]:has([data-outcome])") ??
    document.querySelector("[data-item]")
  );
}

function choose(key) {
  const item = currentItem() ?? document;
  const outcome = item.querySelector(`[data-outcome="${key}"]`);
  if (!outcome) return;
  outcome.checked = true;
  const reasons = item.querySelectorAll(`[name="why_${outcome.value}"]`);
  ([...reasons].find((reason) => reason.checked) ?? reasons[0] ?? document.getElementById("reason"))?.focus();
}

function chooseReason(number) {
  const item = currentItem();
  const outcome = item?.querySelector("[data-outcome]:checked");
  if (!outcome) return;
  const reason = item.querySelectorAll(`[name="why_${outcome.value}"]`)[number - 1];
  if (!reason) return;
  reason.checked = true;
  reason.focus();
}

function mark() {
  const row = document.activeElement?.closest("[data-row]");
  const box = row?.querySelector("[data-mark]");
  if (box) box.checked = !box.checked;
}

// Records what is filled in for the item, and goes on to the next one. The browser says what is missing.
function recordAndNext() {
  const button = currentItem()?.querySelector("[data-then-next]");
  if (button && !button.disabled) button.click();
}

function go(key) {
  document.querySelector(`[data-go="${CSS.escape(key)}"]`)?.click();
}

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  b: (event) => hold(currentItem()?.querySelector("[data-look]"), event.code),
  f: (event) => hold(currentItem()?.querySelector('[data-look="film"]'), event.code),
  ",": () => chooseStage(currentItem()?.querySelector("[data-look]"), -1),
  ".": () => chooseStage(currentItem()?.querySelector("[data-look]"), 1),
  c: () => choose("c"),
  n: () => choose("n"),
  e: () => choose("e"),
  1: () => chooseReason(1),
  2: () => chooseReason(2),
  3: () => chooseReason(3),
  x: mark,
  p: () => document.querySelector("[data-put]")?.click(),
  u: () => document.querySelector("[data-undo]")?.click(),
  t: () => document.querySelector("[data-take-next]")?.click(),
  "?": openHelp,
  "/": () => document.querySelector("[data-search]")?.focus(),
  g: () => {
    goUntil = performance.now() + GO_WITHIN_MS;
  },
};

export function listenToKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.repeat || event.isComposing) return;
    if (document.querySelector("dialog[open]")) return;
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter") {
      event.preventDefault();
      recordAndNext();
      return;
    }
    if (event.ctrlKey || event.metaKey) return;
    if (isWriting(event.target)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (performance.now() < goUntil) {
      goUntil = 0;
      go(event.key);
      event.preventDefault();
      return;
    }
    const act = KEYS[event.key];
    if (!act) return;
    event.preventDefault();
    act(event);
  });
}
