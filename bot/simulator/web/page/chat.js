// The chat page: shows one chat as a person sees it, writes and presses buttons through /test/*.
const POLL_MS = 700;
const MOST_SHOWN = 200;
const TAGS = {
  bold: "b", italic: "i", underline: "u", strikethrough: "s", code: "code", pre: "pre", blockquote: "blockquote",
};
const find = (id) => document.getElementById(id);
const state = { user: 42, chat: 42, name: "Ann", reply: null, shown: "", answered: 0 };

function make(tag, text, className) {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (className) node.className = className;
  return node;
}

async function post(deed, body) {
  const answer = await fetch(`test/${deed}`, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  });
  const given = await answer.json();
  say(answer.ok ? "" : `Not possible: ${given.error}`, !answer.ok);
  await refresh();
  return answer.ok;
}

async function get(path) {
  const answer = await fetch(`test/${path}`);
  return answer.ok ? answer.json() : null;
}

function say(text, bad = false) {
  find("notice").textContent = text;
  find("notice").className = bad ? "bad" : "";
}

// Entities count UTF-16 code units, as JavaScript's strings do.
function formatted(text, entities) {
  const root = document.createDocumentFragment();
  const kept = entities.filter((one) => one.type in TAGS || ["text_link", "url", "spoiler", "bot_command"].includes(one.type));
  build(root, text, 0, text.length, kept);
  return root;
}

function build(parent, text, from, to, entities) {
  let place = from;
  const inside = entities.filter((one) => one.offset >= from && one.offset + one.length <= to);
  while (inside.length) {
    const one = inside.shift();
    if (one.offset < place) continue;
    parent.append(text.slice(place, one.offset));
    const end = one.offset + one.length;
    const node = element(one, text.slice(one.offset, end));
    const within = inside.filter((other) => other.offset < end);
    if (node.tagName === "BUTTON") node.textContent = text.slice(one.offset, end);
    else build(node, text, one.offset, end, within);
    parent.append(node);
    place = end;
  }
  parent.append(text.slice(place, to));
}

function element(entity, content) {
  if (entity.type === "text_link" || entity.type === "url") {
    const link = make("a");
    const target = entity.url ?? (/^https?:/i.test(content) ? content : `https://${content}`);
    if (/^https?:/i.test(target)) link.href = target;
    link.rel = "noreferrer noopener";
    link.target = "_blank";
    return link;
  }
  if (entity.type === "spoiler") {
    const hidden = make("span", undefined, "spoiler");
    hidden.tabIndex = 0;
    return hidden;
  }
  return make(TAGS[entity.type] ?? "span");
}

function serviceText(message) {
  if (message.new_chat_members) return `${message.new_chat_members.map((one) => one.first_name).join(", ")} joined`;
  if (message.left_chat_member) return `${message.left_chat_member.first_name} left`;
  if (message.pinned_message) return `Message ${message.pinned_message.message_id} was pinned`;
  if (message.migrate_to_chat_id) return `This group became supergroup ${message.migrate_to_chat_id}`;
  if (message.migrate_from_chat_id) return `This supergroup was group ${message.migrate_from_chat_id}`;
  return null;
}

function item(message) {
  const service = serviceText(message);
  if (service !== null) return make("li", service, "service");
  const sender = message.sender_chat ?? message.from ?? {};
  const node = make("li", undefined, sender.id === state.user ? "mine" : "");
  const who = make("div", undefined, "who");
  const name = sender.first_name ?? sender.title ?? "Channel";
  const when = new Date((message.edit_date ?? message.date) * 1000).toLocaleTimeString();
  who.append(make("b", name), make("span", `${message.edit_date ? "edited " : ""}${when}`));
  const reply = make("button", "Reply");
  reply.type = "button";
  reply.setAttribute("aria-label", `Reply to message ${message.message_id} of ${name}`);
  reply.addEventListener("click", () => replyTo(message, name));
  who.append(reply);
  node.append(who);
  if (message.reply_to_message) {
    const quoted = message.reply_to_message;
    node.append(make("div", (quoted.text ?? quoted.caption ?? "a picture").slice(0, 80), "quoted"));
  }
  if (message.photo) node.append(picture(message));
  if (message.document) node.append(make("div", `📄 ${message.document.file_name}`));
  const text = message.text ?? message.caption;
  if (text) {
    const body = make("div", undefined, "body");
    body.append(formatted(text, message.entities ?? message.caption_entities ?? []));
    node.append(body);
  }
  const rows = message.reply_markup?.inline_keyboard ?? message.reply_markup?.keyboard;
  if (rows) node.append(buttons(message, rows));
  return node;
}

function picture(message) {
  const size = message.photo.at(-1);
  const image = make("img");
  image.alt = message.caption ? `Picture: ${message.caption.slice(0, 120)}` : "Picture without a caption";
  image.width = size.width;
  image.height = size.height;
  image.src = `test/file/${encodeURIComponent(size.file_id)}`;
  return image;
}

function buttons(message, rows) {
  const group = make("div", undefined, "buttons");
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", `Buttons of message ${message.message_id}`);
  for (const row of rows) {
    const line = make("div");
    for (const button of row) {
      const label = typeof button === "string" ? button : button.text;
      const node = make("button", label);
      node.type = "button";
      node.addEventListener("click", () => press(message, button, label));
      line.append(node);
    }
    group.append(line);
  }
  return group;
}

async function press(message, button, label) {
  if (button.url) {
    window.open(button.url, "_blank", "noreferrer,noopener");
    return;
  }
  const by = button.callback_data === undefined ? { text: label } : { data: button.callback_data };
  await post("press", { chat_id: state.chat, message_id: message.message_id, user_id: state.user, ...by });
}

function replyTo(message, name) {
  state.reply = message?.message_id ?? null;
  find("replying").hidden = state.reply === null;
  find("replying").firstElementChild.textContent = message ? `Reply to ${name}, message ${message.message_id}` : "";
  find("text").focus();
}

async function refresh() {
  const chat = await get(`chat?chat_id=${state.chat}`);
  const messages = (chat?.messages ?? []).slice(-MOST_SHOWN);
  const seen = JSON.stringify([state.chat, state.user, messages]);
  find("title").textContent = chat ? `${chat.title ?? chat.first_name} (${chat.type})` : `Chat ${state.chat}: nothing yet`;
  if (seen !== state.shown) {
    state.shown = seen;
    const list = find("messages");
    list.replaceChildren(...messages.map(item));
    find("log").scrollTop = find("log").scrollHeight;
  }
  await showAnswers();
  await showChats();
}

async function showAnswers() {
  const sent = (await get(`sent?chat_id=${state.chat}&after=${state.answered}`)) ?? [];
  if (!sent.length) return;
  const first = state.answered === 0;
  state.answered = sent.at(-1).seq;
  const toast = sent.filter((one) => one.method === "answerCallbackQuery" && one.text).at(-1);
  if (toast && !first) say(`The bot says: ${toast.text}`);
}

async function showChats() {
  const chats = (await get("chats")) ?? [];
  const list = find("chats");
  const seen = JSON.stringify([state.chat, chats.map((one) => [one.id, one.title ?? one.first_name])]);
  if (list.dataset.seen !== seen) {
    list.dataset.seen = seen;
    list.replaceChildren(...chats.slice(-50).reverse().map(chatItem));
  }
  const breaches = (await get("breaches")) ?? [];
  find("breaches").textContent = `Limits broken: ${breaches.length}`;
}

function chatItem(chat) {
  const node = make("button", `${chat.title ?? chat.first_name} · ${chat.type}`);
  node.type = "button";
  if (chat.id === state.chat) node.setAttribute("aria-current", "true");
  node.addEventListener("click", () => open(chat.id));
  const line = make("li");
  line.append(node);
  return line;
}

async function open(chatId) {
  state.chat = chatId;
  state.answered = 0;
  find("chat").value = String(chatId);
  replyTo(null);
  say("");
  await refresh();
}

find("place").addEventListener("submit", async (event) => {
  event.preventDefault();
  state.user = Number(find("user").value);
  state.name = find("name").value.trim();
  await open(Number(find("chat").value));
});
find("write").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = find("text").value;
  if (!text.trim()) return;
  const reply = state.reply === null ? {} : { reply_to: state.reply };
  const name = state.name ? { first_name: state.name } : {};
  const done = await post("message", { chat_id: state.chat, user_id: state.user, text, ...name, ...reply });
  if (done) {
    find("text").value = "";
    replyTo(null);
  }
});
find("no-reply").addEventListener("click", () => replyTo(null));

async function follow() {
  try {
    await refresh();
  } catch {
    say("The server does not answer", true);
  }
  setTimeout(follow, POLL_MS);
}
follow();
