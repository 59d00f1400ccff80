// The terms of a priority, shown while its number is pointed at or has the focus. Without JavaScript a click shows them.

const GAP = 4;

let shown = null;

function show(button) {
  const terms = document.getElementById(button.dataset.terms);
  if (!terms?.showPopover || terms === shown) return;
  hide();
  terms.showPopover();
  shown = terms;
  const place = button.getBoundingClientRect();
  const below = place.bottom + GAP + terms.offsetHeight <= window.innerHeight;
  terms.style.inset = "auto";
  terms.style.margin = "0";
  terms.style.top = `${below ? place.bottom + GAP : Math.max(GAP, place.top - GAP - terms.offsetHeight)}px`;
  terms.style.left = `${Math.max(GAP, place.right - terms.offsetWidth)}px`;
}

function hide() {
  if (shown?.isConnected) shown.hidePopover();
  shown = null;
}

const button = (event) => event.target.closest?.("[data-terms]");

document.addEventListener("pointerover", (event) => {
  const pointed = button(event);
  if (pointed) show(pointed);
  else if (shown && !shown.contains(event.target) && !document.activeElement?.closest("[data-terms]")) hide();
});
document.addEventListener("focusin", (event) => (button(event) ? show(button(event)) : hide()));
document.addEventListener("focusout", hide);
// What a click would do is done already.
document.addEventListener("click", (event) => {
  if (button(event)) event.preventDefault();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") hide();
});
