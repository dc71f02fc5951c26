// Reports what a learner does to a learning management system, as cmi5 says. It is the only part of
// netsplit that sends anything to another host, and it is loaded only by an address with lms=cmi5.
//
// One session: POST to `fetch` for the token; the launch data, the learner's preferences and what
// earlier sessions have reported are read; then the statements, in this order:
//
//   initialized            the page is there
//   completed              a run was at its end and the bet of its preset, if it has one, was placed
//   passed                 the share of checks that hold at the end reached the mastery score; where
//                          the system names none, all must hold
//   failed                 on leaving, if runs were at their end and none of them passed
//   terminated             on leaving, the last one
//
// Only runs of the scenario that was launched count: another one that is opened on the same page is
// none of the course's business. A learner may mend what fails and run again, so `failed` waits until
// nothing else can follow, and the best score counts. A scenario without checks is completed, neither
// passed nor failed. Completed and passed are said once in a registration: a state document of ours
// remembers them. What the system did not take is sent again with what comes next.
// In the modes Browse and Review only `initialized` and `terminated` are sent.
//
// Sections of the specification, "cmi5 Specification Profile for xAPI", are named where they rule.

const VERBS = "http://adlnet.gov/expapi/verbs/";
const CMI5 = "https://w3id.org/xapi/cmi5/context/";
/** The state document that remembers what was said in this registration. */
const OURS = "netsplit";

/** What the address says of a launch; nothing if it is none. Section 8.1. */
export function launchOf(search) {
  const query = new URLSearchParams(search);
  const names = ["endpoint", "fetch", "actor", "registration", "activityId"];
  const [endpoint, fetch, actor, registration, activityId] = names.map((name) => query.get(name));
  if (query.get("lms") !== "cmi5") return null;
  const missing = names.filter((name) => !query.get(name));
  if (missing.length) throw new Error(`the launch does not say ${missing.join(", ")}`);
  return {
    endpoint: endpoint.replace(/\/*$/, "/"),
    fetch,
    actor: JSON.parse(actor),
    registration,
    activityId,
  };
}

/** Milliseconds as ISO 8601 says them. */
export const duration = (ms) => `PT${(Math.max(0, ms) / 1000).toFixed(2)}S`;

export class Session {
  #launch;
  #now;
  #token;
  #data;
  #ours = {};
  /** What was reached and has not been taken yet: verbs and their statements. */
  #owed = new Map();
  /** Whether something was said that could not be noted. */
  #unnoted = false;
  #began;
  #best = null;
  #ended = false;
  /** Whatever is sent waits for what was sent before: the order of statements is ruled. */
  #line = Promise.resolve();

  /** `now` gives milliseconds since 1970. */
  constructor(launch, now = Date.now) {
    this.#launch = launch;
    this.#now = now;
  }

  /** Where the browser is to go afterwards, if the system wants it back. Section 10, returnURL. */
  get returnURL() {
    const url = this.#data?.returnURL;
    // A launch is a link that anybody can write: it gets no script into this page.
    return /^https?:/i.test(url ?? "") ? url : null;
  }

  /** Whether results count. */
  get isJudged() {
    return this.#data?.launchMode === "Normal";
  }

  /** Gets the token and the launch data and says `initialized`. */
  async begin() {
    const answer = await fetch(this.#launch.fetch, { method: "POST" });
    // Errors come with status 200, too. Section 8.2.3.
    const token = await answer.json().catch(() => ({}));
    if (!answer.ok || !token["auth-token"]) {
      const why = token["error-text"] ?? `status ${answer.status}`;
      throw new Error(`the system gave no token: ${why}`);
    }
    this.#token = token["auth-token"];
    this.#data = await this.#document("activities/state", this.#state("LMS.LaunchData"));
    if (!this.#data?.contextTemplate) throw new Error("the system gave no launch data");
    // It must be read (section 11). It holds a language and whether there is sound; this page is in
    // one language and silent. A system may refuse it.
    await this.#document("agents/profile", {
      agent: JSON.stringify(this.#launch.actor),
      profileId: "cmi5LearnerPreferences",
    }).catch(() => {});
    this.#ours = (await this.#document("activities/state", this.#state(OURS))) ?? {};
    this.#began = this.#now();
    await this.#say(() => [this.#statement("initialized")]);
  }

  /** Takes a result of the page: whether it is of what was `launched`, `complete`, and `score` (a
   * share of one, or null). */
  async take({ launched, complete, score }) {
    if (!launched || !this.isJudged || this.#ended) return;
    if (score !== null && (this.#best === null || score > this.#best)) this.#best = score;
    if (complete) {
      this.#owe("completed", () =>
        this.#statement("completed", { completion: true }, this.#spent()));
    }
    if (score !== null && score >= this.#mastery) {
      this.#owe("passed", () => this.#judged("passed", score));
    }
    const owed = await this.#say(() => []);
    if (owed.length) this.#unnoted = true;
    // It is said: that it could not be noted is no reason to say it again, but to note it later.
    if (this.#unnoted) await this.#remember().catch(() => {});
  }

  /** Says what is still owed, `failed` if that is how it ended, and `terminated`; nothing
   * afterwards. */
  async end() {
    if (this.#ended || this.#began === undefined) return;
    this.#ended = true;
    let owed;
    try {
      owed = await this.#say(() => {
        // Never after a pass of this registration. Section 9.3.
        const failed = this.isJudged && this.#best !== null && this.#best < this.#mastery
          && !this.#ours.passed;
        const last = this.#statement("terminated", undefined, this.#spent());
        return failed ? [this.#judged("failed", this.#best), last] : [last];
      });
    } catch (error) {
      this.#ended = false;
      throw error;
    }
    if (owed.length || this.#unnoted) await this.#remember().catch(() => {});
  }

  /** The share of checks that is enough. */
  get #mastery() {
    return this.#data.masteryScore ?? 1;
  }

  /** How long the learner has been at it. Section 9.5.4. */
  #spent() {
    return duration(this.#now() - this.#began);
  }

  /** `passed` or `failed`. Sections 9.5.1, 9.5.2 and 9.6.3.2. */
  #judged(verb, score) {
    const result = { success: verb === "passed", score: { scaled: Number(score.toFixed(4)) } };
    const { masteryScore } = this.#data;
    const extensions = masteryScore === undefined ? {} : {
      [`${CMI5}extensions/masteryscore`]: masteryScore,
    };
    return this.#statement(verb, result, this.#spent(), extensions);
  }

  /** A statement that cmi5 defines. Section 9. */
  #statement(verb, result, spent, extensions = {}) {
    // The template as it is, and ours besides: nothing of it may be overwritten (section 10).
    const template = structuredClone(this.#data.contextTemplate);
    const activities = template.contextActivities ?? {};
    const category = [activities.category ?? []].flat();
    const add = (id) => category.some((known) => known.id === id) || category.push({ id });
    add(`${CMI5}categories/cmi5`);
    // With success or completion, and only then. Section 9.6.2.2.
    if (result) add(`${CMI5}categories/moveon`);
    return {
      id: crypto.randomUUID(),
      actor: this.#launch.actor,
      verb: { id: VERBS + verb, display: { en: verb } },
      object: { objectType: "Activity", id: this.#launch.activityId },
      ...(spent && { result: { ...result, duration: spent } }),
      context: {
        ...template,
        registration: this.#launch.registration,
        contextActivities: { ...activities, category },
        extensions: { ...extensions, ...template.extensions },
      },
      timestamp: new Date(this.#now()).toISOString(),
    };
  }

  /** Notes what is to be said, once in a registration. */
  #owe(verb, statement) {
    // The same statement is sent again: a system that has it already knows it by its id.
    if (!this.#ours[verb] && !this.#owed.has(verb)) this.#owed.set(verb, statement());
  }

  /** Sends what is owed and, behind it, what `more` makes of that; returns the verbs that were
   * owed. What is not taken stays owed. */
  #say(more) {
    return this.#next(async () => {
      const owed = [...this.#owed];
      const statements = [...owed.map(([, statement]) => statement), ...more()];
      // A closing page is left before the answer is there; the browser sends it nevertheless.
      const send = { keepalive: true };
      if (statements.length) await this.#ask("POST", "statements", {}, statements, send);
      for (const [verb] of owed) {
        this.#owed.delete(verb);
        this.#ours[verb] = true;
      }
      return owed.map(([verb]) => verb);
    });
  }

  /** Notes for later sessions of this registration. */
  #remember() {
    return this.#next(async () => {
      await this.#ask("POST", "activities/state", this.#state(OURS), this.#ours);
      this.#unnoted = false;
    });
  }

  #next(send) {
    const sent = this.#line.then(send);
    this.#line = sent.catch(() => {});
    return sent;
  }

  /** What names a state document of this learner here. */
  #state(stateId) {
    const { activityId, actor, registration } = this.#launch;
    return { activityId, agent: JSON.stringify(actor), registration, stateId };
  }

  /** A document, or nothing if there is none. */
  async #document(resource, query) {
    const answer = await this.#ask("GET", resource, query, undefined, {}, [404]);
    return answer.status === 404 ? null : answer.json();
  }

  async #ask(method, resource, query, body, options = {}, fine = []) {
    const url = new URL(resource, this.#launch.endpoint);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const answer = await fetch(url, {
      ...options,
      method,
      headers: {
        Authorization: `Basic ${this.#token}`,
        "X-Experience-API-Version": "1.0.3",
        ...(body && { "Content-Type": "application/json" }),
      },
      body: body && JSON.stringify(body),
    });
    if (!answer.ok && !fine.includes(answer.status)) {
      throw new Error(`the system refused ${method} ${resource}: status ${answer.status}`);
    }
    return answer;
  }
}

/** Reports what the page says of itself, with a line for the learner and a way out. */
function report() {
  const bar = document.createElement("p");
  const says = document.createElement("span");
  const leave = document.createElement("button");
  says.setAttribute("role", "status");
  leave.type = "button";
  leave.className = "button";
  leave.textContent = "Finish";
  bar.className = "reporter";
  bar.append(says, leave);
  document.body.append(bar);
  const tell = (text) => { says.textContent = text; };
  const fail = (error) => tell(`▲ Not recorded: ${error.message}.`);

  let session;
  const begun = (async () => {
    session = new Session(launchOf(location.search));
    await session.begin();
    tell(session.isJudged ? "● Your course records this." : "○ Only to look: nothing is recorded.");
  })();
  begun.catch((error) => {
    session = null;
    leave.remove();
    fail(error);
  });

  addEventListener("message", async ({ source, data }) => {
    // From this page itself, which is what reports; never from another.
    if (source !== window || data?.netsplit !== 1 || data.type !== "result") return;
    try {
      await begun;
      if (!data.launched) {
        tell("○ Not what your course has opened: this run is not recorded.");
        return;
      }
      await session.take(data);
      const share = data.score === null ? "" : ` ${Math.round(data.score * 100)} % of the checks hold.`;
      const done = data.complete ? "✓ Recorded." : "△ Not complete yet: place a bet.";
      if (session.isJudged) tell(done + share);
    } catch (error) {
      fail(error);
    }
  });

  leave.onclick = async () => {
    leave.disabled = true;
    try {
      await session.end();
      tell("✓ Handed in. You can close this page.");
      if (session.returnURL) location.assign(session.returnURL);
    } catch (error) {
      leave.disabled = false;
      fail(error);
    }
  };
  // Kept pages come back as they were, and have ended.
  addEventListener("pagehide", () => session?.end().catch(() => {}));
}

if (globalThis.document) report();
