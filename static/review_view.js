// Builds an example with its question out of what the API sends, as templates/review_parts.html does on the server.
"use strict";

const WORDS = { both: "Both", neither: "Neither", cannot_tell: "Cannot tell" };
/** The keys of answers, in order; p, z, n and ? mean something else. */
const ANSWER_KEYS = "123456789abcdefghijklmoqrstuvwxy";
/** The side, in pixels, up to which a picture is enlarged with square pixels. */
const TINY = 96;

function make(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

/** The nodes of a task, and a promise of when its media are there; a medium that fails says so in its place. */
function buildTask(task) {
  const loading = [];
  const classes = task.kind === "pair" ? [task.a, task.b] : task.choices;
  const question = task.kind === "set" ? "Which of these are here?" : "Which is it?";
  const shows = task.kind === "set" || classes.some((one) => one.exemplars.length);
  const heading = make("h1", { id: "question", tabindex: "-1" }, question, " ",
    make("span", { class: "hidden" }, `${classes.map((one) => one.name).join(" or ")}?`));
  const node = make("form", { class: "task" }, heading,
    make("div", { class: `ask ask-${task.kind}` },
      specimen(task.media, loading),
      make("div", { class: shows ? "candidates" : "candidates hidden" }, ...classes.map((one, place) => candidate(task.kind, one, place, loading))),
      make("div", { class: "answers", role: "group", "aria-label": "Your answer" },
        ...answersOf(task).map(([answer, says, key]) => button(answer, says, key)))));
  return { task, node, ready: Promise.all(loading) };
}

/** The answers as [what is sent, what the button says, its key]. */
function answersOf(task) {
  if (task.kind === "set") return [[null, "Save", "Enter"], ["cannot_tell", WORDS.cannot_tell, "0"]];
  return task.answers.map((answer, place) => {
    const says = task.kind === "pair" && (answer === "a" || answer === "b") ? task[answer].name
      : task.choices?.some((one) => one.name === answer) ? answer
        : WORDS[answer] ?? answer.slice(0, 1).toUpperCase() + answer.slice(1);
    return [answer, says, answer === "cannot_tell" ? "0" : ANSWER_KEYS[place]];
  });
}

function button(answer, says, key) {
  return make("button", { type: "button", "data-answer": answer ?? "", "data-key": key, value: answer ?? "" },
    make("kbd", { "aria-hidden": "true" }, key), " ", make("span", { dir: "auto" }, says));
}

function candidate(kind, { name, exemplars }, place, loading) {
  const section = make("section", { class: "candidate", "aria-labelledby": `class-${place}` },
    make("h2", { id: `class-${place}` }, make("kbd", { "aria-hidden": "true" }, ANSWER_KEYS[place]), " ",
      make("span", { dir: "auto" }, name)));
  if (kind === "set") {
    const choice = (value, says) =>
      make("label", {}, make("input", { type: "radio", name: `heard-${place}`, value }), ` ${says}`);
    section.append(make("fieldset", { class: "heard", "data-class": name },
      make("legend", { class: "hidden" }, name), choice("yes", "Yes"), choice("no", "No")));
  }
  if (exemplars.length) {
    section.append(make("ul", { class: "exemplars" }, ...exemplars.map((address, n) => {
      const item = make("li");
      loading.push(exemplar(item, address, `A typical example of ${name}`, n + 1));
      return item;
    })));
  }
  return section;
}

function specimen(media, loading) {
  const box = make("div", { class: ["specimen", ...media.map((one) => `has-${one.kind}`)].join(" ") });
  if (media.some((one) => ["text", "row", "question"].includes(one.kind))) {
    for (const [name, value] of [["role", "region"], ["aria-label", "The example"], ["tabindex", "0"]]) {
      box.setAttribute(name, value);
    }
  }
  for (const { kind, address } of media) {
    const place = make("div", { class: "medium" });
    box.append(place);
    loading.push(fill(place, kind, address, kind === "waveform" ? "" : "The example"));
  }
  if (!media.length) box.append(make("p", { class: "aside" }, "This example has nothing to show here."));
  return box;
}

/** Put a medium into its place; where it cannot be loaded, a button that tries again. */
async function fill(place, kind, address, label) {
  try {
    if (kind === "link") place.append(elsewhere(address));
    else if (kind === "audio") place.append(await sound(address, label));
    else if (["text", "row", "question"].includes(kind)) place.append(...written(kind, await read(address), label));
    else place.append(await picture(address, label, kind === "waveform"));
  } catch {
    const again = make("button", { type: "button", class: "quiet" }, "This could not be loaded. Try again");
    again.addEventListener("click", () => {
      place.replaceChildren();
      fill(place, kind, address, label);
    });
    place.replaceChildren(again);
  }
}

/** An exemplar: its address does not tell its kind, its type does. */
async function exemplar(place, address, label, number) {
  try {
    const answer = await fetch(address);
    if (!answer.ok) throw new Error(answer.statusText);
    const type = answer.headers.get("Content-Type") ?? "";
    if (type.startsWith("image/")) place.append(await picture(address, label));
    else if (type.startsWith("audio/")) place.append(shortSound(address, label, number));
    else if (type.startsWith("application/json")) place.append(...written("row", await answer.text(), label));
    else place.append(...written("text", await answer.text(), label));
  } catch {
    place.append(make("p", { class: "aside" }, "This could not be loaded."));
  }
}

async function read(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(answer.statusText);
  return answer.text();
}

async function picture(address, label, isWave = false) {
  const image = make("img", { alt: label, decoding: "sync", class: isWave ? "wave" : null, src: address });
  await image.decode();
  if (!isWave) markTiny(image);
  return image;
}

function markTiny(image) {
  image.classList.toggle("pixels", Math.max(image.naturalWidth, image.naturalHeight) <= TINY);
}

function sound(address, label) {
  const player = make("audio", { controls: true, preload: "auto", src: address, "aria-label": label });
  return new Promise((resolve, reject) => {
    player.addEventListener("loadeddata", () => resolve(player), { once: true });
    player.addEventListener("error", () => reject(new Error("no sound")), { once: true });
    // A browser that saves data loads nothing before it is played.
    setTimeout(() => resolve(player), 4000);
  });
}

/** A sound as one round button: so many players beside each other would be a wall of controls. */
function shortSound(address, label, number) {
  const player = new Audio(address);
  const trigger = make("button", { type: "button", class: "play", "aria-pressed": "false", "aria-label": `${label}, ${number}` });
  player.preload = "auto";
  trigger.append(player);
  trigger.addEventListener("click", () => playOrStop(player));
  for (const name of ["play", "pause", "ended"]) {
    player.addEventListener(name, () => trigger.setAttribute("aria-pressed", String(!player.paused && !player.ended)));
  }
  return trigger;
}

/** Play a sound from its beginning, and no other beside it; or stop it. */
function playOrStop(player) {
  const stop = !player.paused && !player.ended;
  for (const other of document.querySelectorAll("audio")) other.pause();
  if (stop) return;
  player.currentTime = 0;
  player.play().catch(() => { /* the browser wants a click first, or the sound is broken: its controls say so */ });
}

function written(kind, text, label) {
  const quote = (said) => make("p", { class: "quote", dir: "auto" }, said);
  if (kind === "text") return [quote(text)];
  const read = JSON.parse(text);
  if (kind === "question") {
    return [quote(read.question), make("ol", { class: "options" }, ...read.options.map((one) => make("li", { dir: "auto" }, one)))];
  }
  const lines = read.map(([column, value]) => make("tr", {},
    make("th", { scope: "row", dir: "auto" }, column),
    make("td", { dir: "auto" }, value === null ? make("i", { class: "aside" }, "none") : String(value))));
  return [make("table", { class: "values" }, make("caption", { class: "hidden" }, label), make("tbody", {}, ...lines))];
}

function elsewhere(address) {
  if (!/^https?:\/\//.test(address)) throw new Error("no address of the web");
  return make("p", { class: "elsewhere" },
    make("a", { href: address, rel: "noreferrer", target: "_blank" }, "Open the example"));
}
