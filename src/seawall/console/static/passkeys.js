// Passkeys: asks Seawall for what the browser needs, lets the browser ask its person, and sends the answer as a form.

const token = document.querySelector('meta[name="csrf-token"]')?.content ?? "";

function bytes(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

function text(buffer) {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

const withIds = (list) => list?.map((each) => ({ ...each, id: bytes(each.id) }));

async function create(options) {
  const made = await navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: withIds(options.excludeCredentials),
    },
  });
  return {
    id: made.id,
    rawId: text(made.rawId),
    type: made.type,
    response: {
      clientDataJSON: text(made.response.clientDataJSON),
      attestationObject: text(made.response.attestationObject),
    },
  };
}

async function get(options) {
  const used = await navigator.credentials.get({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      allowCredentials: withIds(options.allowCredentials),
    },
  });
  const handle = used.response.userHandle;
  return {
    id: used.id,
    rawId: text(used.rawId),
    type: used.type,
    response: {
      clientDataJSON: text(used.response.clientDataJSON),
      authenticatorData: text(used.response.authenticatorData),
      signature: text(used.response.signature),
      userHandle: handle?.byteLength ? text(handle) : null,
    },
  };
}

function say(form, words) {
  const place = form.querySelector("[data-passkey-says]");
  place.textContent = words;
}

async function ask(form) {
  const answer = await fetch(form.dataset.options, { method: "POST", headers: { "X-CSRF-Token": token } });
  if (answer.redirected) {
    location.assign(answer.url);
    return;
  }
  if (!answer.ok) throw new Error("no options");
  const options = await answer.json();
  const given = form.dataset.passkey === "create" ? await create(options) : await get(options);
  form.elements.answer.value = JSON.stringify(given);
  form.submit();
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!window.PublicKeyCredential) continue;
  if (location.origin !== form.dataset.origin) {
    say(form, `Passkeys work at ${form.dataset.origin} only.`);
    for (const element of form.elements) element.disabled = true;
  }
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    say(form, "");
    ask(form).catch((error) => {
      const known = error.name === "InvalidStateError";
      say(form, known ? "This passkey is registered already." : "No passkey was used. Nothing was changed.");
    });
  });
}
