// The page of raters by keys: the next example is loaded while one looks at this one, votes are sent behind the scenes.
// Without this script the pages are forms that do the same, one request after another.
"use strict";

const stage = document.querySelector("#stage");
const isLive = stage !== null && "live" in document.body.dataset;
const server = new RaterServer(new URL(location.href));
/** Names what is kept for this link; a part of its signature, which is of no use without the rest. */
const box = location.pathname.split(".").pop().slice(-16);
const outbox = new Outbox(server, box, told);
const keys = {
  get on() { try { return localStorage.getItem("keys") !== "off"; } catch { return keys.chosen; } },
  set on(value) {
    keys.chosen = value;
    try { localStorage.setItem("keys", value ? "on" : "off"); } catch { /* for this page only */ }
    document.body.classList.toggle("with-keys", value);
  },
  chosen: true,
};
document.body.classList.toggle("with-keys", keys.on);

// What is in view, what is loaded behind it, and what was answered, newest last.
let current = null;
let next = null;
let past = [];
let done = 0;
let of = 1;
let takingBack = null; // until it is done, nothing can be answered
let isPaused = false;
let isOver = false; // the link is refused
let filling = null;
let lastSaid = "";

// What is said

function say(text, kind = "") {
  const state = document.querySelector(".state");
  if (!state) return;
  state.replaceChildren(text ? make("span", { class: kind }, text) : "");
}

function alertUser(text) {
  const place = document.querySelector(".told[role=alert]");
  if (!place) return;
  place.hidden = !text;
  place.textContent = text;
}

/** So many answers and what becomes of them, as "2 answers wait". */
function answers(n, one, many) { return `${n.toLocaleString("en")} answer${n === 1 ? ` ${one}` : `s ${many}`}`; }

let saving = 0;

/** What becomes of the votes, as the outbox tells it. */
function told(what, vote, error) {
  clearTimeout(saving);
  if (what === "saving") saving = setTimeout(() => say("Saving…"), 600);
  if (what === "saved" && !outbox.size) say(lastSaid ? `Saved: ${lastSaid}` : "Saved", "saved");
  if (what === "away") {
    const where = outbox.isKept ? "in this browser" : "in this page; keep it open";
    say(`No connection: ${answers(outbox.size, "waits", "wait")} ${where}`, "unsent");
    if (!current && !isPaused && !stage?.querySelector(".away")) view("away");
  }
  if (what === "dropped") {
    say("");
    done = Math.max(0, done - 1);
    past = past.filter((one) => one.task.task !== vote.task);
    showProgress();
    alertUser(error.message);
  }
  if (what === "refused") refuse(error);
}

function showProgress() {
  const bar = document.querySelector(".review-bar progress");
  if (!bar) return;
  of = Math.max(of, done);
  bar.max = Math.max(of, 1);
  bar.value = done;
  bar.textContent = `${done} of ${of}`;
  undoButton.hidden = !done;
  document.querySelector(".count b").textContent = done.toLocaleString("en");
  document.querySelector(".count b").nextSibling.textContent = ` of ${of.toLocaleString("en")}`;
}

// What is in view

function showNodes(...nodes) {
  for (const player of stage.querySelectorAll("audio")) player.pause();
  stage.replaceChildren(...nodes);
  stage.querySelector("h1")?.focus({ preventScroll: true });
  scrollTo(0, 0);
}

function view(name, fill = () => {}) {
  const nodes = document.querySelector(`#view-${name}`).content.cloneNode(true);
  fill(nodes);
  showNodes(nodes);
  document.title = `${stage.querySelector("h1").textContent} · Review`;
}

function show(entry) {
  current = entry;
  entry.node.removeAttribute("aria-busy");
  showNodes(entry.node);
  document.title = "Which is it? · Review";
  showProgress();
}

/** Ask for what is lacking: what to look at, and what comes after it. */
function fillUp() {
  filling ??= fillAll().finally(() => { filling = null; });
  return filling;
}

async function fillAll() {
  for (let tries = 0; !isOver && !isPaused;) {
    await outbox.send();
    await takingBack;
    if (isOver || (current && next)) return;
    const before = current;
    try {
      const found = await server.next(before?.task.task ?? null);
      tries = 0;
      if (before !== current || takingBack) continue; // answered, or taken back, meanwhile
      if (!found.task) {
        if (before) lookAgain(found.seconds);
        else nothingThere(found.seconds);
        return;
      }
      await take(found.task, before);
    } catch (error) {
      if (!(error instanceof AwayError)) {
        refuse(error);
        return;
      }
      if (!current && !isPaused && !stage.querySelector(".away")) view("away");
      await waiting(patience(tries++, error.seconds));
    }
  }
}

/** A task has come: the one to look at, or the one after it. */
async function take(task, before) {
  const entry = buildTask(task);
  if (!outbox.size) done = task.progress.done;
  of = task.progress.of;
  if (before) {
    next = entry;
    showProgress();
    return;
  }
  // What is in view stays there until this is complete, but not for long.
  await Promise.race([entry.ready, waiting(3)]);
  if (!current && !takingBack && !isPaused && !isOver) show(entry);
}

let asking = 0;

/** Nothing comes after what is in view; it may later. */
function lookAgain(seconds) {
  clearTimeout(asking);
  if (seconds !== null) asking = setTimeout(fillUp, Math.max(seconds, 15) * 1000);
}

function nothingThere(seconds) {
  clearTimeout(asking);
  if (seconds === null) {
    view("done", (nodes) => { nodes.querySelector(".done").textContent = `${done.toLocaleString("en")} example${done === 1 ? "" : "s"}`; });
    return;
  }
  const until = Date.now() + seconds * 1000;
  const inWords = () => {
    const left = Math.max(1, Math.ceil((until - Date.now()) / 1000));
    return left < 90 ? `${left} second${left === 1 ? "" : "s"}` : `${Math.round(left / 60)} minutes`;
  };
  view("wait", (nodes) => { nodes.querySelector(".wait").textContent = inWords(); });
  const count = () => {
    const place = stage.querySelector(".wait");
    if (!place || current) return;
    if (Date.now() >= until) fillUp();
    else {
      place.textContent = inWords();
      asking = setTimeout(count, Math.min(1000, until - Date.now()));
    }
  };
  asking = setTimeout(count, 1000);
}

function refuse(error) {
  isOver = true;
  current = next = null;
  say("");
  view("refused", (nodes) => {
    nodes.querySelector(".reason").textContent = error.message;
    const unsent = nodes.querySelector(".unsent");
    unsent.hidden = !outbox.size;
    unsent.textContent = `${answers(outbox.size, "was", "were")} not sent, and stay${outbox.size === 1 ? "s" : ""} in this browser for when this address is accepted again.`;
  });
}

// What a rater does

/** Give an answer: the next example is in view at once, the vote is sent meanwhile. */
function answer(value, says, since) {
  if (!current || takingBack || isPaused) return;
  past = [...past, current].slice(-20);
  lastSaid = says;
  done += 1;
  alertUser("");
  say("");
  outbox.add(current.task.task, value);
  const following = next;
  current = next = null;
  if (following) {
    show(following);
    requestAnimationFrame(() => setTimeout(() => {
      performance.measure("next example", { start: since, end: performance.now() });
    }));
  } else {
    showProgress();
    stage.querySelector(".task")?.setAttribute("aria-busy", "true");
  }
  fillUp();
}

/** The answer of a question that is asked for each class; null while some are open, which are then marked. */
function heardIn(form) {
  const found = {};
  let open = null;
  for (const one of form.querySelectorAll(".heard")) {
    const chosen = one.querySelector("input:checked");
    one.classList.toggle("open", !chosen);
    if (chosen) found[one.dataset.class] = chosen.value === "yes";
    else open ??= one;
  }
  if (!open) return found;
  alertUser(`Say yes or no for ${open.dataset.class} too.`);
  open.querySelector("input").focus();
  return null;
}

function undo() {
  if (isOver || isPaused) return;
  takingBack ??= takeBack().finally(() => {
    takingBack = null;
    fillUp();
  });
}

async function takeBack() {
  alertUser("");
  let code = outbox.withdraw();
  if (code === null && outbox.size) {
    alertUser("Your last answer is on its way. Take it back when it is saved.");
    return;
  }
  try {
    code ??= await server.takeBack();
  } catch (error) {
    if (error instanceof AwayError) {
      // Whether it was taken back is not known; the server knows what is to be looked at now.
      current = next = null;
      say("No connection", "unsent");
    } else alertUser(error.message);
    return;
  }
  if (code === null) {
    alertUser("There is no answer of yours to take back.");
    return;
  }
  say("Taken back");
  done = Math.max(0, done - 1);
  const known = past.findLast((one) => one.task.task === code);
  past = past.filter((one) => one !== known);
  clearTimeout(asking);
  next = known ? current : null; // what was loaded behind it comes again from the server
  current = null;
  if (known) show(known);
}

let pausedAt = 0;
let beforePause = [];

function pause() {
  if (isPaused || isOver) return;
  isPaused = true;
  pausedAt = Date.now();
  beforePause = [...stage.childNodes];
  view("pause", (nodes) => {
    if (outbox.size) nodes.querySelector(".kept").textContent = "kept in this browser until it can be sent, and then saved";
  });
}

function resume() {
  if (!isPaused) return;
  isPaused = false;
  // What was on loan is others' by now, if the pause was long.
  if (!current || Date.now() - pausedAt > leaseSeconds * 1000) {
    current = next = null;
    stage.replaceChildren();
  } else showNodes(...beforePause);
  fillUp();
}

// Leases are renewed while the page is open, unless one has paused.

const leaseSeconds = Number(document.body.dataset.lease ?? 0);

async function renewAll() {
  for (const entry of isPaused || isOver ? [] : [current, next]) {
    if (!entry) continue;
    try {
      const isMine = await server.renew(entry.task.task);
      // What is in view may still be answered, as long as nobody else has it; what is behind it is asked for anew.
      if (!isMine && entry === next) {
        next = null;
        fillUp();
      }
    } catch { /* the next time */ }
  }
}

// Keys

let help = null;

function openHelp() {
  if (!help) {
    const content = document.querySelector("#view-keys")?.content.cloneNode(true);
    if (!content) return;
    document.body.append(content);
    help = document.querySelector("dialog");
    const choice = help.querySelector("input");
    choice.checked = keys.on;
    choice.addEventListener("change", () => { keys.on = choice.checked; });
  }
  for (const one of help.querySelectorAll(".of-sets")) one.hidden = !stage?.querySelector(".ask-set");
  if (!help.open) help.showModal();
}

function press(target, since) {
  if (target.dataset.do === "resume") resume();
  else if ("answer" in target.dataset) {
    const form = target.closest("form");
    const value = target.dataset.answer || heardIn(form);
    const says = target.dataset.answer ? target.querySelector("span").textContent : "";
    if (value !== null) answer(value, says, since);
  } else target.click();
}

/** The number of a class in a question that is asked for each: yes, and pressed again no, and so on. */
function toggle(place) {
  const [yes, no] = document.querySelectorAll(`input[name="heard-${place}"]`);
  if (!yes) return false;
  (yes.checked ? no : yes).checked = true;
  return true;
}

function scrolled(key) {
  const box = document.querySelector(".specimen[tabindex]");
  if (!box || box.contains(document.activeElement) || box.scrollHeight <= box.clientHeight) return false;
  const page = key.startsWith("Page") ? box.clientHeight * 0.9 : 48;
  box.scrollBy({ top: key.endsWith("Down") ? page : -page });
  return true;
}

function keyed(event) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const onControl = event.target.closest?.("a, button, input, audio, summary");
  if ((key === "Enter" || key === " ") && onControl && onControl.type !== "radio") return false;
  if (key === " ") {
    const player = document.querySelector(".specimen audio");
    if (player) playOrStop(player);
    return Boolean(player);
  }
  if (/^(Arrow|Page)(Up|Down)$/.test(key)) return !onControl && scrolled(key);
  if (key === "?") { openHelp(); return true; }
  if (isLive && key === "p") { if (isPaused) resume(); else pause(); return true; }
  if (isLive && key === "z" && !isPaused) { undo(); return true; }
  const form = document.querySelector(".ask-set");
  if (form && !isPaused) {
    const place = ANSWER_KEYS.indexOf(key);
    if (key.length === 1 && place >= 0) return toggle(place);
    if (key === "n") {
      for (const one of form.querySelectorAll(".heard:not(:has(:checked)) [value=no]")) one.checked = true;
      return true;
    }
  }
  const target = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (target) press(target, event.timeStamp);
  return Boolean(target);
}

document.addEventListener("keydown", (event) => {
  if (!keys.on && event.key !== "?") return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.repeat && !event.key.startsWith("Arrow")) return;
  if (event.target.closest?.("textarea, select, dialog, [type=text], input:not([type])")) return;
  if (keyed(event)) event.preventDefault();
});

document.addEventListener("play", (event) => {
  for (const other of document.querySelectorAll("audio")) if (other !== event.target) other.pause();
}, true);

// The beginning

const opener = make("button", { type: "button", class: "keys", "aria-label": "Keys and help" }, "?");
opener.addEventListener("click", openHelp);
const undoButton = make("button", { type: "button", class: "quiet", "data-key": "z", hidden: true },
  "Take back ", make("kbd", { "aria-hidden": "true" }, "z"));
undoButton.addEventListener("click", undo);
if (isLive) document.querySelector(".review-bar .last").append(undoButton);
if (document.querySelector("#view-keys")) document.querySelector(".review-bar nav")?.append(opener);

if (isLive) {
  stage.addEventListener("click", (event) => {
    const target = event.target.closest("[data-answer], [data-do]");
    if (target) press(target, event.timeStamp);
  });
  stage.addEventListener("submit", (event) => {
    if (event.target.method !== "post") event.preventDefault();
  });
  document.querySelector('.review-bar [data-key="p"]')?.addEventListener("click", (event) => {
    event.preventDefault();
    pause();
  });
  if (leaseSeconds) setInterval(renewAll, Math.min(300, Math.max(1, leaseSeconds / 3)) * 1000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden && !isOver) fillUp(); });
  addEventListener("beforeunload", (event) => { if (outbox.size && !outbox.isKept) event.preventDefault(); });
  const doneNow = document.querySelector(".review-bar progress");
  done = doneNow?.value ?? 0;
  of = doneNow?.max ?? 1;
  fillUp();
} else {
  for (const image of document.querySelectorAll(".specimen img:not(.wave)")) {
    image.decode().then(() => markTiny(image), () => { /* its text stands in its place */ });
  }
  outbox.send();
}
