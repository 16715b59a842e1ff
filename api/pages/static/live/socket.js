// WS /ws: one connection that comes back by itself, with the key as first message and the subscriptions it had.

import { backoff, needKey, readKey, ready } from "../http.js";

const SILENT_MS = 15_000; // a price is sent every 5 s
const PING_MS = 5_000;
const AGAIN_MS = 2_000;
const PASSING = new Set(["NOT_READY", "TIMEOUT", "RATE_LIMITED", "INTERNAL_ERROR"]); // it may be there in a moment

export class MarketSocket {
  #held = new Map();
  #count = 0;
  #socket = null;
  #open = false;

  constructor({ onMessage, onState }) {
    Object.assign(this, { onMessage, onState });
    addEventListener("offline", () => this.#socket?.close());
    this.#run();
  }

  // Hold these subscriptions under a name, in place of what it held.
  hold(name, subscriptions) {
    const before = this.#held.get(name) ?? [];
    const named = subscriptions.map((one) => ({ ...one, id: `${name} ${this.#count += 1}` }));
    this.#held.set(name, named);
    if (!this.#open) return;
    before.forEach((one) => this.#send({ type: "unsubscribe", ...one, interval: undefined }));
    named.forEach((one) => this.#subscribe(one));
  }

  #subscribe(one) {
    this.#send({ type: "subscribe", ...one });
  }

  // Subscribe again to what was refused for the moment, unless it is not held any more.
  #onRefused({ id }) {
    setTimeout(() => {
      const one = [...this.#held.values()].flat().find((held) => held.id === id);
      if (one && this.#open) this.#subscribe(one);
    }, AGAIN_MS);
  }

  #send(message) {
    this.#socket.send(JSON.stringify(message));
  }

  async #run() {
    await ready();
    for (let tries = 0; ; tries += 1) {
      const key = readKey();
      const { code, lived } = await this.#connect(key);
      if (code === "UNAUTHORIZED") {
        await needKey(key);
        tries = 0;
        continue;
      }
      if (lived > 5_000) tries = 0;
      this.onState("reconnecting");
      await backoff(tries);
    }
  }

  // Serve one connection until it is over.
  #connect(key) {
    return new Promise((done) => {
      const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`);
      const began = Date.now();
      let received = began;
      let code = null;
      const watch = setInterval(() => {
        if (Date.now() - received > SILENT_MS) end();
        else if (this.#open) this.#send({ type: "ping" });
      }, PING_MS);
      const end = () => {
        clearInterval(watch);
        this.#open = false;
        socket.onmessage = socket.onclose = null;
        socket.close();
        done({ code, lived: Date.now() - began });
      };
      this.#socket = socket;
      socket.onclose = end;
      socket.onmessage = ({ data }) => {
        received = Date.now();
        const message = JSON.parse(data);
        if (message.type === "error" && message.code === "UNAUTHORIZED") code = message.code;
        if (message.type === "connected" && message.authenticated === false) {
          if (key) return this.#send({ type: "auth", key });
          code = "UNAUTHORIZED";
          return end();
        }
        if (!this.#open && (message.type === "connected" || message.type === "authenticated")) this.#begin();
        if (message.type === "error" && PASSING.has(message.code)) return this.#onRefused(message);
        return this.onMessage(message);
      };
    });
  }

  #begin() {
    this.#open = true;
    this.onState("live");
    for (const subscriptions of this.#held.values()) {
      subscriptions.forEach((one) => this.#subscribe(one));
    }
  }
}
