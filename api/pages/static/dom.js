// Small pieces of document: made and changed by text, never by markup, for names come from elsewhere.

export const byId = (id) => document.getElementById(id);

export function make(tag, { text, className, ...attributes } = {}, ...children) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// Buttons of which one is chosen; calls `onChosen(value)` when another is.
export function choices(group, options, chosen, onChosen) {
  const buttons = options.map(([value, text]) => {
    const button = make("button", { text, type: "button", "aria-pressed": String(value === chosen) });
    button.addEventListener("click", () => {
      buttons.forEach((one) => one.setAttribute("aria-pressed", String(one === button)));
      onChosen(value);
    });
    return button;
  });
  group.replaceChildren(...buttons);
}

// A badge that says how far data can be trusted: live, sim, gap or stale.
const QUALITIES = { live: "live", sim: "simulated", gap: "gap", stale: "stale" };

export function setQuality(badge, quality) {
  badge.hidden = !quality;
  badge.className = `badge ${quality ?? ""}`;
  setText(badge, QUALITIES[quality] ?? quality ?? "");
}
