// <netsplit-lab>: a run of netsplit inside another page. Hand-written, without dependencies.
//
//   <script src="https://example.org/embed.js" async></script>
//   <netsplit-lab preset="retry-storm" state="seed=42&people.retry.attempts=1" height="auto">
//     <a href="https://example.org/s/retry-storm/">Retry storm</a>
//   </netsplit-lab>
//
// Without scripts the link inside is all there is; so it is until the frame is loaded, which is
// when it comes near the viewport, or at a click with load="click".
//
// Attributes: preset, state (what stands after # in a link), title; ui, show, hide, edit, theme,
// motion, palette, play as in the address of the page; height ("auto" or pixels); load ("near" or
// "click"); concurrent (plays beside others); base (where netsplit is, if not beside this script).
//
// Methods return promises: set(path, value), fault(step), play(until), pause(), step(by), reset(),
// undo(), redo(), seek(t), speed(x), get(what), export(format), load({preset, state, scenario}),
// subscribe(events, maxHz), ui({theme, …}); send(type, fields) for any message. They reject with an
// Error that has a `code` and a `path`. What is subscribed to always has `state` in it: the element
// needs it itself.
//
// A page of a file or in a sandbox has no origin (`self.origin` is "null"): the run in it can be
// shown, played, paused and moved in time, and answers nothing.
//
// Events, with the message as `detail`: netsplit:ready, state, change, metrics, event, check, bet,
// result, resize, error. src/app/host/mod.rs has every message with its fields.
{
  // A module has no current script; then it is found by its name.
  const own = document.currentScript ?? document.querySelector('script[src*="embed.js"]');
  const home = new URL("./", own?.src || document.baseURI).href;
  // In the order of their place in the address.
  const LOOKS = ["play", "theme", "motion", "palette", "ui", "show", "hide", "edit"];
  // Those that can be changed when it is loaded, and what they are when nobody says them.
  const LATER = {
    theme: "auto", motion: "auto", palette: "auto", ui: "full", show: "", hide: "", edit: "all",
  };
  // What a page without an origin may say.
  const PLAYBACK = ["play", "pause", "step", "reset", "seek", "speed"];
  // So much is room for a stage, before the page in the frame says what it needs.
  const STYLE = `:host{display:block;position:relative}
    iframe{display:block;width:100%;height:100%;border:0}
    .room{width:100%;aspect-ratio:16/10;max-height:40rem;min-height:15rem}
    .facade{display:grid;box-sizing:border-box;border:1px solid;place-content:center;gap:.5rem;
      text-align:center}
    button{font:inherit;padding:.6em 1.2em;cursor:pointer}`;

  const deferred = () => {
    const deferred = {};
    deferred.promise = new Promise((resolve, reject) => Object.assign(deferred, { resolve, reject }));
    return deferred;
  };
  const fault = (code, message, path = "") => Object.assign(new Error(message), { code, path });
  // Of this document; that of its address is another one in a frame made of text (srcdoc).
  const isNobody = self.origin === "null";
  const gone = () => fault("gone", "The element was taken out of the page.");

  /** Every element whose frame is loaded. */
  const loaded = new Set();

  // A frame is known by its window. Its origin says nothing: in a sandbox it has none.
  addEventListener("message", ({ source, data }) => {
    if (!source || data?.netsplit !== 1) return;
    for (const lab of loaded) if (lab.frame.contentWindow === source) lab.hear(data);
  });

  // Far enough from the viewport that it is there when the reader is.
  const near = new IntersectionObserver(
    (entries) => entries.forEach((e) => e.isIntersecting && e.target.open()),
    { rootMargin: "300px" },
  );

  const define = (name, make) => customElements.get(name) ?? customElements.define(name, make);

  define("netsplit-lab", class extends HTMLElement {
    static observedAttributes = ["preset", "state", ...Object.keys(LATER)];

    #asked = new Map();
    #count = 0;
    #facade = null;
    #playing = false;
    #ready = null;

    constructor() {
      super();
      this.frame = null;
      const root = this.attachShadow({ mode: "open" });
      root.innerHTML = `<style>${STYLE}</style><div class="room facade">
        <slot></slot><button type="button">Show it here</button></div>`;
      root.querySelector("button").onclick = () => this.open();
    }

    connectedCallback() {
      if (this.getAttribute("load") !== "click") near.observe(this);
    }

    disconnectedCallback() {
      near.unobserve(this);
      loaded.delete(this);
      for (const { reject } of this.#asked.values()) reject(gone());
      this.#asked.clear();
      // Put back, it starts anew: a frame that was taken out has lost what was in it.
      this.#ready?.reject(gone());
      this.#ready = null;
      this.#playing = false;
      this.frame?.parentNode.replaceWith(this.#facade);
      this.frame = null;
    }

    attributeChangedCallback(name, before, now) {
      // Until it is loaded the address says it.
      if (!this.frame || before === now) return;
      const sent = name in LATER
        ? this.ui({ [name]: now || LATER[name] })
        : this.load({ preset: this.getAttribute("preset") ?? undefined,
            state: this.getAttribute("state") ?? "" });
      // Nobody waits for it; the frame shows what is wrong.
      sent.catch((error) => this.#say("error", { code: error.code, message: error.message }));
    }

    /** The address of the frame. */
    get #address() {
      const preset = this.getAttribute("preset");
      const base = new URL(this.getAttribute("base") ?? home, document.baseURI);
      const url = new URL(preset ? `s/${encodeURIComponent(preset)}/` : "./", base);
      url.searchParams.set("embed", "1");
      url.searchParams.set("api", "1");
      if (!isNobody) url.searchParams.set("origin", self.origin);
      for (const name of LOOKS) {
        const value = this.getAttribute(name) || (name === "play" ? "1" : LATER[name]);
        if (this.hasAttribute(name)) url.searchParams.set(name, value);
      }
      url.hash = this.getAttribute("state") ?? "";
      return url;
    }

    /** Loads the frame; resolves when the run is there. */
    open() {
      if (this.#ready) return this.#ready.promise;
      near.unobserve(this);
      const address = this.#address;
      const frame = document.createElement("iframe");
      const link = this.querySelector("a")?.textContent.trim();
      const name = link || this.getAttribute("preset") || "netsplit";
      frame.title = this.title || `${name}: a simulated distributed system`;
      // On another origin than this page, where it should be, the first two let nothing out. On
      // this one they would hold nothing back.
      frame.setAttribute("sandbox", "allow-scripts allow-same-origin allow-popups allow-downloads");
      frame.allow = "fullscreen; clipboard-write";
      frame.src = address.href;
      // Inside a sandbox the frame has no origin either, so it cannot be named. What it is sent
      // then is no secret.
      this.origin = isNobody ? "*" : address.origin;
      this.frame = frame;
      this.#ready = deferred();
      // Who only wants to look has nothing to catch.
      this.#ready.promise.catch(() => {});
      loaded.add(this);
      const room = document.createElement("div");
      room.className = "room";
      room.append(frame);
      this.#facade = this.shadowRoot.querySelector(".facade");
      const height = Number.parseFloat(this.getAttribute("height"));
      if (height > 0) this.#room(room, height);
      this.#facade.replaceWith(room);
      return this.#ready.promise;
    }

    #room(room, height) {
      room.style.cssText = `height:${height}px;aspect-ratio:auto;max-height:none`;
    }

    /** Takes a message of the frame. */
    hear(message) {
      const { type, re, ok, value, error } = message;
      if (type === "reply") {
        const asked = this.#asked.get(re);
        this.#asked.delete(re);
        if (ok) asked?.resolve(value);
        else asked?.reject(fault(error.code, error.message, error.path));
        return;
      }
      if (type === "ready") this.#ready?.resolve(message);
      if (type === "resize" && !(Number.parseFloat(this.getAttribute("height")) > 0)) {
        this.#room(this.frame.parentNode, message.h);
      }
      if (type === "state") this.#alone(message.playing);
      this.#say(type, message);
    }

    /** Whoever begins to play stops the others: two things that move are not looked at. */
    #alone(playing) {
      const begins = playing && !this.#playing;
      this.#playing = playing;
      if (!begins || this.hasAttribute("concurrent")) return;
      for (const other of loaded) {
        if (other !== this && other.#playing && !other.hasAttribute("concurrent")) other.pause();
      }
    }

    #say(type, detail) {
      this.dispatchEvent(new CustomEvent(`netsplit:${type}`, { detail, bubbles: true }));
    }

    /** Sends any message; resolves with the answer. Loads the frame if need be. */
    async send(type, fields = {}) {
      await this.open();
      if (!this.frame) throw gone();
      const message = { ...fields, netsplit: 1, type };
      if (type === "subscribe" && Array.isArray(fields.events)) {
        message.events = [...new Set(["state", ...fields.events])];
      }
      const asked = deferred();
      if (!isNobody) {
        message.id = ++this.#count;
        this.#asked.set(message.id, asked);
      } else if (PLAYBACK.includes(type)) {
        asked.resolve();
      } else {
        const may = PLAYBACK.join(", ");
        throw fault("refused", `This page has no origin: it cannot be answered. It may ${may}.`);
      }
      this.frame.contentWindow.postMessage(message, this.origin);
      return asked.promise;
    }

    set(path, value) { return this.send("set", { path, value }); }
    fault(step) { return this.send("fault", { step }); }
    play(until) { return this.send("play", { until }); }
    pause() { return this.send("pause"); }
    step(by) { return this.send("step", { by }); }
    reset() { return this.send("reset"); }
    undo() { return this.send("undo"); }
    redo() { return this.send("redo"); }
    seek(t) { return this.send("seek", { t }); }
    speed(x) { return this.send("speed", { x }); }
    get(what, fields) { return this.send("get", { what, ...fields }); }
    export(format) { return this.send("export", { format }); }
    load(fields) { return this.send("load", fields); }
    subscribe(events, maxHz) { return this.send("subscribe", { events, maxHz }); }
    ui(fields) { return this.send("ui", fields); }
  });
}
