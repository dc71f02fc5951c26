// What is reported to a learning management system, held against one of a hundred lines that takes
// what the cmi5 specification allows and refuses the rest.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, beforeEach, test } from "node:test";

// By its text: its name would make older versions of node take it for something else.
const source = readFileSync(new URL("../../embed/cmi5.js", import.meta.url), "utf8");
const { Session, duration, launchOf } = await import(
  `data:text/javascript,${encodeURIComponent(source)}`
);

const ACTOR = { objectType: "Agent", account: { homePage: "https://lms.example", name: "1625378" } };
const ACTIVITY = "https://lms.example/activities/7";
const REGISTRATION = "760e3480-ba55-4991-94b0-01820dbd23a2";
const CONTEXT = "https://w3id.org/xapi/cmi5/context/";
const CMI5 = `${CONTEXT}categories/cmi5`;
const MOVE_ON = `${CONTEXT}categories/moveon`;
const MASTERY = `${CONTEXT}extensions/masteryscore`;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const TEMPLATE = {
  contextActivities: { grouping: [{ id: "https://publisher.example/netsplit" }] },
  extensions: { [`${CONTEXT}extensions/sessionid`]: "session 1" },
  language: "en",
};

/** A learning management system. */
class Lms {
  constructor() {
    this.launchData = { contextTemplate: TEMPLATE, launchMode: "Normal", moveOn: "Passed" };
    this.documents = new Map();
    this.statements = [];
    this.tokens = 0;
    this.broken = false;
    /** Whether documents are not taken. */
    this.forgetful = false;
    /** How many statements are taken and the answer is lost. */
    this.mute = 0;
    this.problems = [];
  }

  /** The verbs of the session, in their order. */
  get verbs() {
    return this.statements.map((s) => s.verb.id.split("/").at(-1));
  }

  answer(method, url, headers, body) {
    if (url.pathname === "/token") return this.token(method);
    if (headers.authorization !== "Basic c2VjcmV0") return [401];
    if (!/^1\.0\.\d+$/.test(headers["x-experience-api-version"])) return [400];
    if (this.broken) return [503];
    switch (`${method} ${url.pathname}`) {
      case "GET /xapi/activities/state": return this.state(url.searchParams);
      case "POST /xapi/activities/state":
        return this.forgetful ? [503] : this.note(url.searchParams, body);
      case "GET /xapi/agents/profile":
        assert.equal(url.searchParams.get("profileId"), "cmi5LearnerPreferences");
        return [404];
      case "POST /xapi/statements": {
        const answer = this.take(body);
        return this.mute-- > 0 ? [504] : answer;
      }
      default: return [405];
    }
  }

  token(method) {
    if (method !== "POST") return [405];
    this.tokens += 1;
    if (this.tokens > 1) return [200, { "error-code": "1", "error-text": "already returned" }];
    return [200, { "auth-token": "c2VjcmV0" }];
  }

  state(query) {
    assert.equal(query.get("activityId"), ACTIVITY);
    assert.deepEqual(JSON.parse(query.get("agent")), ACTOR);
    assert.equal(query.get("registration"), REGISTRATION);
    const name = query.get("stateId");
    const found = name === "LMS.LaunchData" ? this.launchData : this.documents.get(name);
    return found ? [200, found] : [404];
  }

  note(query, body) {
    const name = query.get("stateId");
    assert.notEqual(name, "LMS.LaunchData", "it must not be changed");
    this.documents.set(name, { ...this.documents.get(name), ...body });
    return [204];
  }

  /** Statements, all of them or none. */
  take(body) {
    const statements = [body].flat();
    for (const statement of statements) {
      // What comes again as it was is known, and changes nothing.
      const known = this.statements.find(({ id }) => id === statement.id);
      if (known) {
        assert.deepEqual(statement, known);
        continue;
      }
      try {
        this.judge(statement);
      } catch (error) {
        this.problems.push(error.message);
        return [400];
      }
      this.statements.push(statement);
    }
    return [200, statements.map((s) => s.id)];
  }

  /** What sections 9.1 to 9.7 demand of a statement, and 9.3 of their order. */
  judge(s) {
    const verb = s.verb.id.split("/").at(-1);
    const { verbs } = this;
    assert.match(s.id, UUID);
    assert.equal(s.verb.id, `http://adlnet.gov/expapi/verbs/${verb}`);
    assert.equal(verb === "initialized", verbs.length === 0, "initialized is the first");
    assert.ok(!verbs.includes("terminated"), "terminated is the last");
    assert.ok(!verbs.includes(verb), `${verb} once in a session`);
    const judged = ["passed", "failed"];
    assert.ok(!judged.includes(verb) || !judged.some((v) => verbs.includes(v)));
    assert.deepEqual(s.actor, ACTOR);
    assert.equal(s.object.id, ACTIVITY);
    const { registration, contextActivities, extensions, language } = s.context;
    assert.equal(registration, REGISTRATION);
    assert.equal(language, TEMPLATE.language);
    assert.deepEqual(contextActivities.grouping, TEMPLATE.contextActivities.grouping);
    for (const [name, value] of Object.entries(TEMPLATE.extensions)) {
      assert.equal(extensions[name], value);
    }
    const categories = contextActivities.category.map((a) => a.id);
    assert.ok(categories.includes(CMI5));
    const { success, completion, score, duration: spent } = s.result ?? {};
    const moves = success !== undefined || completion !== undefined;
    assert.equal(categories.includes(MOVE_ON), moves);
    assert.equal(success, { passed: true, failed: false }[verb]);
    assert.equal(completion, verb === "completed" ? true : undefined);
    if (verb !== "initialized") assert.match(spent, /^PT\d+(\.\d+)?S$/);
    const { masteryScore } = this.launchData;
    if (judged.includes(verb)) {
      assert.equal(extensions[MASTERY], masteryScore);
      assert.equal(score.scaled >= (masteryScore ?? 1), verb === "passed");
    } else {
      assert.equal(score, undefined);
    }
    assert.match(s.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/);
    if (this.launchData.launchMode !== "Normal") {
      assert.ok(["initialized", "terminated"].includes(verb));
    }
  }
}

let lms;
const server = createServer(async (request, response) => {
  let text = "";
  for await (const part of request) text += part;
  const url = new URL(request.url, "http://lms");
  const [status, body] = lms.answer(request.method, url, request.headers, text && JSON.parse(text));
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(body === undefined ? undefined : JSON.stringify(body));
});

before(() => new Promise((resolve) => server.listen(0, "127.0.0.1", resolve)));
after(() => server.close());
beforeEach(() => { lms = new Lms(); });

function search(changes = {}) {
  const home = `http://127.0.0.1:${server.address().port}`;
  const query = {
    lms: "cmi5",
    endpoint: `${home}/xapi`,
    fetch: `${home}/token?k=1`,
    actor: JSON.stringify(ACTOR),
    registration: REGISTRATION,
    activityId: ACTIVITY,
    ...changes,
  };
  return `?${new URLSearchParams(query)}`;
}

/** A session that has begun, and a clock that the test turns. */
async function begin() {
  const clock = { ms: Date.UTC(2026, 0, 1) };
  const session = new Session(launchOf(search()), () => clock.ms);
  await session.begin();
  return { session, clock };
}

test("whoever passes is reported at once, and the time that took", async () => {
  const { session, clock } = await begin();
  clock.ms += 61_500;
  await session.take({ launched: true, complete: true, score: 1 });
  assert.deepEqual(lms.verbs, ["initialized", "completed", "passed"]);
  clock.ms += 1_000;
  await session.end();
  assert.deepEqual(lms.verbs, ["initialized", "completed", "passed", "terminated"]);
  const [, completed, passed, terminated] = lms.statements;
  assert.deepEqual(completed.result, { completion: true, duration: "PT61.50S" });
  assert.deepEqual(passed.result, { success: true, score: { scaled: 1 }, duration: "PT61.50S" });
  assert.deepEqual(terminated.result, { duration: "PT62.50S" });
  assert.equal(lms.statements[0].timestamp, "2026-01-01T00:00:00.000Z");
  assert.equal(lms.tokens, 1);
});

test("what fails may be mended; only who leaves it so has failed", async () => {
  const { session } = await begin();
  await session.take({ launched: true, complete: false, score: 0.5 });
  await session.take({ launched: true, complete: true, score: 0.25 });
  assert.deepEqual(lms.verbs, ["initialized", "completed"]);
  await session.take({ launched: true, complete: true, score: 1 });
  await session.take({ launched: true, complete: true, score: 0 });
  await session.end();
  assert.deepEqual(lms.verbs, ["initialized", "completed", "passed", "terminated"]);

  lms = new Lms();
  const other = await begin();
  await other.session.take({ launched: true, complete: true, score: 0.5 });
  await other.session.take({ launched: true, complete: true, score: 0.25 });
  await other.session.end();
  assert.deepEqual(lms.verbs, ["initialized", "completed", "failed", "terminated"]);
  assert.equal(lms.statements[2].result.score.scaled, 0.5);
});

test("the mastery score of the system decides", async () => {
  lms.launchData.masteryScore = 0.6;
  const { session } = await begin();
  await session.take({ launched: true, complete: false, score: 0.5 });
  assert.deepEqual(lms.verbs, ["initialized"]);
  await session.take({ launched: true, complete: false, score: 2 / 3 });
  assert.deepEqual(lms.verbs, ["initialized", "passed"]);
  assert.equal(lms.statements[1].result.score.scaled, 0.6667);
  await session.end();
  assert.deepEqual(lms.problems, []);
});

test("what checks nothing is completed, neither passed nor failed", async () => {
  const { session } = await begin();
  await session.take({ launched: true, complete: true, score: null });
  await session.end();
  assert.deepEqual(lms.verbs, ["initialized", "completed", "terminated"]);
});

for (const launchMode of ["Browse", "Review"]) {
  test(`who only looks (${launchMode}) is not judged`, async () => {
    lms.launchData.launchMode = launchMode;
    const { session } = await begin();
    assert.equal(session.isJudged, false);
    await session.take({ launched: true, complete: true, score: 1 });
    await session.end();
    assert.deepEqual(lms.verbs, ["initialized", "terminated"]);
  });
}

test("another session of the registration repeats nothing, and does not fail who has passed", async () => {
  const first = await begin();
  await first.session.take({ launched: true, complete: true, score: 1 });
  await first.session.end();
  lms.statements = [];
  lms.tokens = 0;
  const { session } = await begin();
  await session.take({ launched: true, complete: true, score: 1 });
  await session.take({ launched: true, complete: true, score: 0 });
  await session.end();
  assert.deepEqual(lms.verbs, ["initialized", "terminated"]);
});

test("after the end nothing is said, and the end once", async () => {
  const { session } = await begin();
  await Promise.all([session.end(), session.end()]);
  await session.take({ launched: true, complete: true, score: 1 });
  await session.end();
  assert.deepEqual(lms.verbs, ["initialized", "terminated"]);
});

test("what was not taken is told, and said again", async () => {
  const { session } = await begin();
  lms.broken = true;
  await assert.rejects(session.take({ launched: true, complete: true, score: 1 }), /refused POST statements.*503/);
  await assert.rejects(session.end(), /503/);
  lms.broken = false;
  await session.take({ launched: true, complete: true, score: 1 });
  await session.end();
  assert.deepEqual(lms.verbs, ["initialized", "completed", "passed", "terminated"]);
});

test("who has passed does not fail because the system did not take it at once", async () => {
  lms.launchData.masteryScore = 0.6;
  const { session } = await begin();
  lms.broken = true;
  await assert.rejects(session.take({ launched: true, complete: true, score: 0.75 }), /503/);
  lms.broken = false;
  await session.end();
  assert.deepEqual(lms.verbs, ["initialized", "completed", "passed", "terminated"]);
  assert.equal(lms.statements[2].result.score.scaled, 0.75);
  assert.deepEqual(lms.documents.get("netsplit"), { completed: true, passed: true });
  assert.deepEqual(lms.problems, []);
});

test("what is said and could not be noted is noted later, for the next session", async () => {
  const first = await begin();
  lms.forgetful = true;
  await first.session.take({ launched: true, complete: true, score: 1 });
  assert.equal(lms.documents.get("netsplit"), undefined);
  lms.forgetful = false;
  await first.session.end();
  assert.deepEqual(lms.documents.get("netsplit"), { completed: true, passed: true });
  assert.deepEqual(lms.verbs, ["initialized", "completed", "passed", "terminated"]);
});

test("a failure on the way does not undo what was said meanwhile", async () => {
  const { session } = await begin();
  lms.broken = true;
  const first = session.take({ launched: true, complete: true, score: 0.5 });
  await assert.rejects(first, /503/);
  lms.broken = false;
  await Promise.all([
    session.take({ launched: true, complete: false, score: 0.5 }),
    session.take({ launched: true, complete: true, score: 1 }),
  ]);
  await session.end();
  assert.deepEqual(lms.verbs, ["initialized", "completed", "passed", "terminated"]);
  assert.deepEqual(lms.problems, []);
});

test("what was taken without an answer is not taken for something new", async () => {
  const { session, clock } = await begin();
  lms.mute = 1;
  await assert.rejects(session.take({ launched: true, complete: true, score: 1 }), /504/);
  clock.ms += 5_000;
  await session.end();
  assert.deepEqual(lms.verbs, ["initialized", "completed", "passed", "terminated"]);
  assert.deepEqual(lms.problems, []);
});

test("runs of another scenario than the launched one do not count", async () => {
  const { session } = await begin();
  await session.take({ launched: false, complete: true, score: 1 });
  await session.end();
  assert.deepEqual(lms.verbs, ["initialized", "terminated"]);
});

test("a launch that cannot be answered says why", async () => {
  assert.equal(launchOf("?embed=1"), null);
  assert.throws(() => launchOf(search({ actor: "", fetch: "" })), /fetch, actor/);
  const used = new Session(launchOf(search()));
  lms.tokens = 1;
  await assert.rejects(used.begin(), /already returned/);
  assert.deepEqual(lms.verbs, []);
  lms = new Lms();
  lms.launchData = undefined;
  await assert.rejects(new Session(launchOf(search())).begin(), /no launch data/);
});

test("the way back leads to a page and to nothing else", async () => {
  lms.launchData.returnURL = "https://lms.example/course/7";
  assert.equal((await begin()).session.returnURL, "https://lms.example/course/7");
  lms = new Lms();
  lms.launchData.returnURL = "javascript:alert(1)";
  assert.equal((await begin()).session.returnURL, null);
});

test("durations are written as ISO 8601 says", () => {
  assert.equal(duration(0), "PT0.00S");
  assert.equal(duration(3_723_004), "PT3723.00S");
  assert.equal(duration(-5), "PT0.00S");
});
