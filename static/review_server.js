// What the page of raters asks of the server, and the votes that wait until the server has them.
"use strict";

/** Raised where there was no answer, or one that says to try again; `seconds` is how long to wait at least. */
class AwayError extends Error {
  constructor(seconds = null) {
    super("The site cannot be reached.");
    this.seconds = seconds;
  }
}

/** Raised where the server refuses for good; `status` and the message are its own. */
class RefusedError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** The rater API, documented in docs/reviews.md. Another source of tasks needs these four methods alone. */
class RaterServer {
  #token;
  #base;

  constructor(address) {
    this.#token = address.pathname.split("/").pop();
    this.#base = new URL("api/", address);
  }

  /** The task on loan or, with a task, the one after it; if there is none, when to ask again (null: never). */
  async next(after = null) {
    const answer = await this.#ask("GET", after === null ? "task" : `task?${new URLSearchParams({ after })}`);
    if (answer.status !== 204) return { task: await answer.json(), seconds: null };
    return { task: null, seconds: secondsOf(answer) };
  }

  async vote({ task, answer, key }) {
    await this.#ask("POST", "votes", { task, answer, key });
  }

  /** Take the last vote back: its task, or null where there is none. */
  async takeBack() {
    try {
      return (await (await this.#ask("DELETE", "votes/last")).json()).task;
    } catch (error) {
      if (error instanceof RefusedError && error.status === 404) return null;
      throw error;
    }
  }

  /** Renew the lease of a task: whether it is still this rater's. */
  async renew(task) {
    try {
      await this.#ask("POST", "lease", { task });
      return true;
    } catch (error) {
      if (error instanceof RefusedError && error.status === 409) return false;
      throw error;
    }
  }

  async #ask(method, path, body) {
    const headers = { Authorization: `Bearer ${this.#token}` };
    if (body) headers["Content-Type"] = "application/json";
    let answer;
    try {
      answer = await fetch(new URL(path, this.#base), {
        method, headers, body: body && JSON.stringify(body), cache: "no-store", signal: AbortSignal.timeout(20_000),
      });
    } catch {
      throw new AwayError();
    }
    if (answer.ok) return answer;
    if (answer.status === 429 || answer.status >= 500) throw new AwayError(secondsOf(answer));
    let problem = {};
    try { problem = await answer.json(); } catch { /* an answer of something in between */ }
    throw new RefusedError(answer.status, problem.detail ?? "The site refused this.");
  }
}

function secondsOf(answer) {
  const told = Number.parseInt(answer.headers.get("Retry-After") ?? "", 10);
  return Number.isNaN(told) ? null : Math.max(1, told);
}

/** A UUID. `crypto.randomUUID` is not there for pages that come without TLS, as in a room of students. */
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((one) => one.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** How long to wait before the nth try again, in seconds: as told, or a little longer each time. */
function patience(tries, told) {
  const grown = Math.min(30, 2 ** Math.min(tries, 5) / 2);
  return (told ?? grown) + Math.random() * 0.5;
}

/** Wait so many seconds, or until the browser is online again. */
function waiting(seconds) {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      removeEventListener("online", end);
      resolve();
    };
    const timer = setTimeout(end, seconds * 1000);
    addEventListener("online", end);
  });
}

/**
 * Votes in the order in which they were given. Each is kept in the browser until the server has answered that it is on
 * its disk, and sent again, under the same key, until then. `tell(state, vote)` hears "saving", "saved", "away",
 * "dropped" and "refused".
 */
class Outbox {
  #server;
  #box;
  #tell;
  #votes = [];
  #tried = new Set();
  #sending = null;
  isKept = true;

  constructor(server, box, tell) {
    this.#server = server;
    this.#box = `label-errors-votes:${box}:`;
    this.#tell = tell;
    this.#votes = this.#stored();
    // They may have been sent: only the answer may have been lost.
    for (const vote of this.#votes) this.#tried.add(vote.key);
  }

  get size() { return this.#votes.length; }

  add(task, answer) {
    const vote = { task, answer, key: newKey(), at: Date.now() };
    this.#votes.push(vote);
    // One entry a vote, so that two tabs of one link do not overwrite each other's.
    try { localStorage.setItem(this.#box + vote.key, JSON.stringify(vote)); } catch { this.isKept = false; }
    this.send();
    return vote;
  }

  /** Take back the last vote if no server can have seen it yet: its task, or null. */
  withdraw() {
    const vote = this.#votes.at(-1);
    if (!vote || this.#tried.has(vote.key)) return null;
    this.#drop(vote);
    return vote.task;
  }

  /** Send what waits, one after another. Resolves when nothing waits any more, or the link is refused. */
  send() {
    this.#sending ??= this.#sendAll().finally(() => { this.#sending = null; });
    return this.#sending;
  }

  async #sendAll() {
    for (let tries = 0; this.#votes.length;) {
      const vote = this.#votes[0];
      this.#tried.add(vote.key);
      this.#tell("saving", vote);
      try {
        await this.#server.vote(vote);
        tries = 0;
        this.#drop(vote);
        this.#tell("saved", vote);
      } catch (error) {
        if (error instanceof AwayError) {
          this.#tell("away", vote);
          await waiting(patience(tries++, error.seconds));
        } else if (error instanceof RefusedError && error.status !== 401 && error.status !== 403) {
          this.#drop(vote);
          this.#tell("dropped", vote, error);
        } else {
          this.#tell("refused", vote, error);
          return;
        }
      }
    }
  }

  #drop(vote) {
    this.#votes = this.#votes.filter((one) => one.key !== vote.key);
    try { localStorage.removeItem(this.#box + vote.key); } catch { /* it was not kept */ }
  }

  #stored() {
    const found = [];
    try {
      for (const name of Object.keys(localStorage)) {
        if (!name.startsWith(this.#box)) continue;
        try { found.push(JSON.parse(localStorage.getItem(name))); } catch { localStorage.removeItem(name); }
      }
    } catch { this.isKept = false; }
    return found.sort((one, other) => one.at - other.at);
  }
}
