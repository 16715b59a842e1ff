// The bus's document for people: every subject with what its messages have, found by word.

import { byId, make, setText } from "./dom.js";
import { getJson } from "./http.js";
import { startShell } from "./shell.js";

const DEEPEST = 4;
let document_ = null;

startShell();
document_ = await getJson("/asyncapi");
setText(byId("about"), document_.info.description ?? document_.info.title);
const channels = Object.entries(document_.channels).map(([name, channel]) => makeChannel(name, channel));
byId("channels").replaceChildren(...channels.map(({ element }) => element));
byId("find").addEventListener("input", show);
show();

function show() {
  const wanted = byId("find").value.trim().toLowerCase();
  const hits = channels.filter(({ element, words }) => {
    element.hidden = !words.includes(wanted);
    return !element.hidden;
  });
  setText(byId("found"), `${hits.length} of ${channels.length} subjects`);
}

function makeChannel(name, channel) {
  const messages = Object.values(channel.messages ?? {}).map(resolve);
  const words = JSON.stringify([name, channel, messages.map(({ payload }) => resolve(payload))]).toLowerCase();
  const summary = make("summary", {}, make("code", { text: channel.address ?? name }), " ", make("span", { text: channel.title ?? "", className: "dim" }));
  const about = channel.description ? [make("p", { text: channel.description })] : [];
  const element = make("details", { className: "channel" }, summary);
  element.addEventListener("toggle", () => {
    if (element.open && element.children.length === 1) element.append(...about, ...messages.flatMap(makeMessage));
  });
  return { element, words };
}

function makeMessage(message) {
  const parts = [make("h2", { text: message.title ?? message.name ?? "" })];
  const words = message.summary ?? message.description;
  if (words) parts.push(make("p", { text: words }));
  const rows = fields(resolve(message.payload ?? {}), "", 0).map(({ name, type, text }) => make("tr", {}, make("td", {}, make("code", { text: name })), make("td", { text: type }), make("td", { text })));
  const head = make("thead", {}, make("tr", {}, ...["Field", "Type", "Meaning"].map((text) => make("th", { text, scope: "col" }))));
  if (rows.length) parts.push(make("div", { className: "scroll", role: "region", tabindex: "0", "aria-label": "Fields" }, make("table", {}, head, make("tbody", {}, ...rows))));
  const example = message.examples?.[0]?.payload;
  if (example) parts.push(make("pre", { text: JSON.stringify(example, null, 2), tabindex: "0" }));
  return parts;
}

function fields(schema, before, depth) {
  const needed = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {}).flatMap(([name, part]) => {
    const own = resolve(part);
    const inner = resolve(own.items ?? own);
    const place = `${before}${name}`;
    const row = { name: place, type: `${typeOf(own)}${needed.has(name) ? "" : ", optional"}`, text: part.description ?? own.description ?? "" };
    return [row, ...(depth < DEEPEST ? fields(inner, `${place}${own.items ? "[]" : ""}.`, depth + 1) : [])];
  });
}

function typeOf(schema) {
  const own = resolve(schema);
  if (own.const !== undefined) return JSON.stringify(own.const);
  if (own.enum) return own.enum.map((one) => JSON.stringify(one)).join(" or ");
  if (own.anyOf ?? own.oneOf) return [...new Set((own.anyOf ?? own.oneOf).map(typeOf))].join(" or ");
  if (own.type === "array") return own.prefixItems ? `[${own.prefixItems.map(typeOf).join(", ")}]` : `list of ${own.items ? typeOf(own.items) : "anything"}`;
  return own.type ?? "anything";
}

function resolve(node) {
  let found = node;
  while (found?.$ref) found = found.$ref.slice(2).split("/").reduce((place, step) => place[decodeURIComponent(step).replace(/~1/g, "/").replace(/~0/g, "~")], document_);
  return found ?? {};
}
