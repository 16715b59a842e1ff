// What every page has: the dialog that asks for a key, and the button that forgets it.

import { byId } from "./dom.js";
import { forgetKey, onKeyNeeded, readKey, saveKey } from "./http.js";

export function startShell() {
  const forget = byId("forget-key");
  forget.hidden = !readKey();
  forget.addEventListener("click", () => {
    forgetKey();
    location.reload();
  });
  onKeyNeeded(async (refused) => {
    saveKey(await ask(refused));
    forget.hidden = false;
  });
  for (const link of document.querySelectorAll("nav a")) {
    if (new URL(link.href).pathname === location.pathname) link.setAttribute("aria-current", "page");
  }
}

function ask(refused) {
  const dialog = byId("key-dialog");
  const field = byId("key-field");
  byId("key-wrong").textContent = refused ? "That key is not known here." : "";
  field.value = "";
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  if (!dialog.open) dialog.showModal();
  return new Promise((done) => {
    byId("key-form").addEventListener("submit", () => done(field.value.trim()), { once: true });
  });
}
