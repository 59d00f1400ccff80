// Looking: a picture is on the page only while its button or key is held. When it is let go, when the window loses the
// focus, the tab is changed or Escape is pressed, the picture is taken off the page and its look is over.

let look = null;

function tell(message) {
  const notice = document.getElementById("notice");
  if (message && notice) notice.innerHTML = message;
}

function cover(figure) {
  figure.querySelector("img")?.removeAttribute("src");
  figure.remove();
}

function headersOf(form) {
  return { "X-CSRF-Token": form.elements.csrf.value, "HX-Request": "true" };
}

// The panel as it is now, with what is chosen in it. The focus stays where it was, on the new control if need be.
async function refresh(place, changes = {}) {
  const form = place.querySelector("[data-look]");
  const chosen = new URLSearchParams();
  for (const each of place.querySelectorAll("[data-look]")) {
    for (const [name, value] of new FormData(each)) {
      if (!chosen.has(name) && name !== "csrf" && name !== "strip") chosen.set(name, value);
    }
  }
  for (const [name, value] of Object.entries(changes)) chosen.set(name, value);
  const address = `${form.action.split("/reveal")[0]}/picture?${chosen}`;
  const answer = await fetch(address, { headers: { "HX-Request": "true" } });
  const panel = await answer.text();
  if (!answer.ok || look) return;
  const focused = place.contains(document.activeElement) ? document.activeElement : null;
  const selector = selectorOf(focused);
  place.innerHTML = panel;
  if (focused) (place.querySelector(selector) ?? place.querySelector("[data-reveal]"))?.focus();
}

function selectorOf(element) {
  if (element?.name === "stage") return `[name="stage"][value="${element.value}"]`;
  if (element?.dataset.aim !== undefined) return `[data-aim="${element.dataset.aim}"]`;
  return element?.closest('[data-look="film"]') ? '[data-look="film"] [data-reveal]' : "[data-reveal]";
}

function show(mine, told) {
  const figure = document.createElement("figure");
  figure.className = told.large ? "shown whole" : "shown";
  const picture = new Image();
  picture.alt = told.alt;
  picture.draggable = false;
  picture.src = told.address;
  figure.append(picture);
  mine.figure = figure;
  mine.over = told.over;
  mine.timer = setTimeout(letGo, told.lasts_s * 1000);
  mine.place.querySelector("[data-frame]").append(figure);
}

// Begins a look. `key` is the code of the key that holds it; without one it is the pointer.
export async function hold(form, key) {
  if (look || !form) return;
  const mine = { form, key, place: form.closest("[data-picture]"), stop: new AbortController() };
  look = mine;
  form.querySelector("[data-reveal]").dataset.held = "";
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      body: new URLSearchParams(new FormData(form)),
      headers: { ...headersOf(form), Accept: "application/json" },
      signal: mine.stop.signal,
    });
    if (answer.status === 401) return location.assign("/console/login");
    // To the page that asks who is there, and back.
    const asks = answer.headers.get("HX-Redirect");
    if (asks) return location.assign(asks);
    if (!answer.ok) return tell(await answer.text());
    const told = await answer.json();
    // Let go before the answer came: then the picture is never asked for.
    if (look === mine) show(mine, told);
  } catch (error) {
    if (error.name !== "AbortError") document.dispatchEvent(new CustomEvent("htmx:sendError"));
  }
}

export function letGo() {
  const mine = look;
  if (!mine) return;
  look = null;
  mine.stop.abort();
  clearTimeout(mine.timer);
  delete mine.form.querySelector("[data-reveal]").dataset.held;
  if (!mine.figure) return;
  cover(mine.figure);
  fetch(mine.over, { method: "POST", headers: headersOf(mine.form), keepalive: true })
    .then(() => refresh(mine.place))
    .catch(() => document.dispatchEvent(new CustomEvent("htmx:sendError")));
}

// Chooses the next milder (-1) or clearer (1) stage that is open. It shows nothing by itself.
export function chooseStage(form, step) {
  if (!form || look) return;
  const open = [...form.querySelectorAll('[name="stage"]:not(:disabled)')];
  const next = open[open.findIndex((each) => each.checked) + step];
  if (next) next.checked = true;
}

function buttonOf(event) {
  return event.target.closest?.("[data-look] [data-reveal]");
}

export function listenToHands() {
  document.documentElement.dataset.scripted = "";
  document.addEventListener("pointerdown", (event) => {
    const button = buttonOf(event);
    if (!button || event.button !== 0) return;
    button.focus();
    hold(button.form);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") letGo();
    const button = buttonOf(event);
    if (!button || (event.key !== " " && event.key !== "Enter")) return;
    event.preventDefault();
    if (!event.repeat) hold(button.form, event.code);
  });
  document.addEventListener("click", (event) => {
    const aim = event.target.closest?.("[data-aim]");
    const later = event.target.closest?.("[data-later]");
    if (aim) {
      event.preventDefault();
      const { aim: place, moving = "" } = aim.dataset;
      refresh(aim.closest("[data-picture]"), { place, moving, stage: "blurred" });
    } else if (later) {
      later.form.elements.start.value = later.dataset.later;
    }
  });
  document.addEventListener("submit", (event) => {
    if (event.target.matches?.("[data-look]")) event.preventDefault();
  });
  for (const name of ["pointerup", "pointercancel", "blur", "pagehide"]) window.addEventListener(name, letGo);
  window.addEventListener("keyup", (event) => {
    if (event.code === look?.key) letGo();
  });
  document.addEventListener("visibilitychange", letGo);
  document.addEventListener("seawall:blank", () => {
    letGo();
    // Where no script held it, a picture may be on the page all the same.
    for (const figure of document.querySelectorAll("figure.shown")) cover(figure);
  });
  document.addEventListener("contextmenu", (event) => {
    if (look || buttonOf(event)) event.preventDefault();
  });
  document.addEventListener("dragstart", (event) => {
    if (event.target.closest?.("[data-frame]")) event.preventDefault();
  });
}
