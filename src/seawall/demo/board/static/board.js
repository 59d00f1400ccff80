// Conveniences only: every page works without this file.
"use strict";

for (const select of document.querySelectorAll("[data-submit-on-change]")) {
  select.form.querySelector("button").hidden = true;
  select.addEventListener("change", () => select.form.requestSubmit());
}

for (const form of document.querySelectorAll("[data-drop]")) {
  const input = form.querySelector("input[type=file]");
  const chosen = form.querySelector("[data-chosen]");
  const show = () => {
    const file = input.files[0];
    chosen.hidden = !file;
    chosen.textContent = file ? `${file.name} (${Math.ceil(file.size / 1024)} KB)` : "";
  };
  input.addEventListener("change", show);
  for (const name of ["dragenter", "dragover"]) {
    form.addEventListener(name, (event) => {
      event.preventDefault();
      form.classList.add("over");
    });
  }
  form.addEventListener("dragleave", () => form.classList.remove("over"));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    form.classList.remove("over");
    if (event.dataTransfer.files.length === 1) {
      input.files = event.dataTransfer.files;
      show();
    }
  });
}
