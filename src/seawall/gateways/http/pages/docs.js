// Lets every address be tried from the page. It speaks to this very Seawall alone; the key stays in its field.

"use strict";

const key = document.querySelector("#key");
document.querySelector(".key").hidden = false;
document.querySelector(".key").addEventListener("submit", (event) => event.preventDefault());

for (const form of document.querySelectorAll("form.try")) {
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form);
  });
}

function addressOf(form) {
  let path = form.dataset.path;
  const query = new URLSearchParams();
  for (const field of form.querySelectorAll("input[data-place]")) {
    if (field.dataset.place === "path") {
      path = path.replace(`{${field.name}}`, encodeURIComponent(field.value));
    } else if (field.value !== "") {
      query.set(field.name, field.value);
    }
  }
  return query.size ? `${path}?${query}` : path;
}

function requestOf(form) {
  const headers = {};
  if (key.value !== "") {
    headers.Authorization = `Bearer ${key.value}`;
  }
  const request = { method: form.dataset.method, headers, credentials: "omit", cache: "no-store" };
  const body = form.querySelector("[data-body]");
  if (form.dataset.takes === "file") {
    request.body = body.files[0];
    headers["Content-Type"] = body.files[0].type || "application/octet-stream";
  } else if (form.dataset.takes === "json") {
    request.body = body.value;
    headers["Content-Type"] = "application/json";
  }
  return request;
}

async function send(form) {
  const button = form.querySelector("button");
  const output = form.querySelector("output");
  button.disabled = true;
  try {
    const answer = await fetch(addressOf(form), requestOf(form));
    show(output, `${answer.status} ${answer.statusText}`, await answer.text());
  } catch (error) {
    show(output, "No answer", String(error));
  } finally {
    button.disabled = false;
  }
}

function show(output, said, text) {
  output.querySelector(".said").textContent = said;
  try {
    output.querySelector("code").textContent = JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    output.querySelector("code").textContent = text;
  }
  output.hidden = false;
}
