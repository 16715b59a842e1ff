// The page as it was: which moment it shows, a mark that it does, and the field that chooses another one.

import { byId, make, setText } from "../dom.js";
import { moment, momentMs } from "../http.js";

const WORDS = { dateStyle: "medium", timeStyle: "medium", timeZone: "UTC" };

// Prepare the field, and mark the page where it is of the past. `readSymbol` returns the symbol that is shown.
export function startPast(readSymbol) {
  const field = byId("moment");
  field.max = asField(Date.now());
  byId("past-form").addEventListener("submit", (event) => {
    event.preventDefault();
    if (field.value) go({ symbol: readSymbol(), as_of: new Date(`${field.value}Z`).toISOString() });
  });
  if (!moment) return;
  document.body.classList.add("past");
  field.value = asField(momentMs());
  byId("past").hidden = false;
  byId("pause").hidden = true;
  setText(byId("past-text"), `As it was on ${new Date(momentMs()).toLocaleString("en-GB", WORDS)} UTC`);
  byId("past-end").addEventListener("click", () => go({ symbol: readSymbol() }));
  for (const name of ["whales", "liquidations"]) setText(byId(`${name}-empty`), "None until then");
  setText(byId("alerts-empty"), "Alerts are shown live only");
  const link = byId("link");
  link.className = "badge gap";
  setText(link, "the past");
}

// Say how far back can be seen, as an answer says.
export function showReach({ seen_since: since }) {
  const text = `It can be seen since ${new Date(since).toLocaleString("en-GB", WORDS)} UTC`;
  byId("past-reach").replaceChildren(make("time", { text, datetime: since }));
}

const asField = (ms) => new Date(ms).toISOString().slice(0, 19);

function go(parameters) {
  location.search = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value));
}
