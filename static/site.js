// Comfort on top of pages that work without it: keys, tables sorted in place, texts opened in place.
"use strict";

const memory = {
  get(name) {
    try { return localStorage.getItem(name); } catch { return null; }
  },
  set(name, value) {
    try { localStorage.setItem(name, value); } catch { /* blocked: the choice holds for this page only */ }
  },
};

let keysOn = memory.get("keys") !== "off";

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// Keys

const cards = [...document.querySelectorAll(".wall > .card")];
let current = -1;

function select(place) {
  if (place < 0 || place >= cards.length) return;
  cards[current]?.classList.remove("current-card");
  current = place;
  cards[current].classList.add("current-card");
  const link = cards[current].querySelector(".look");
  link.focus({ preventScroll: true });
  cards[current].scrollIntoView({ block: "nearest" });
}

function step(by) {
  const held = cards.findIndex((card) => card.contains(document.activeElement));
  const from = held >= 0 ? held : current;
  if (from >= 0 && (from + by < 0 || from + by >= cards.length)) {
    document.querySelector(`.pages [rel="${by > 0 ? "next" : "prev"}"]`)?.click();
  } else if (cards.length) select(from < 0 ? 0 : from + by);
  else document.querySelector(`.steps [rel="${by > 0 ? "next" : "prev"}"]`)?.click();
}

const actions = {
  j: () => step(1),
  k: () => step(-1),
  o: () => cards[current]?.querySelector(".look").click(),
  "/": () => {
    const field = document.querySelector("#q");
    if (!field) return;
    const folded = field.closest("details");
    if (folded && !field.checkVisibility()) folded.open = true;
    field.focus();
    field.select();
  },
  "?": () => openHelp(),
};

document.addEventListener("keydown", (event) => {
  if (!keysOn || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.target.closest?.("input, textarea, select, [contenteditable], dialog, audio")) return;
  const action = Object.hasOwn(actions, event.key) ? actions[event.key] : null;
  if (!action) return;
  event.preventDefault();
  action();
});

// Help

let help = null;

function openHelp() {
  help ??= buildHelp();
  if (!help.open) help.showModal();
}

function buildHelp() {
  const rows = [
    ["j, k", "next and previous example"],
    ["o, Enter", "open it"],
    ...(document.querySelector(".card.image, .specimen, .shelf-image") ? [["z", "enlarge the picture"]] : []),
    ...(document.querySelector("audio") ? [["space", "play and stop the sound"]] : []),
    ["/", "search"],
    ["?", "this help"],
  ].map(([keys, words]) => element("div", {},
    element("dt", {}, ...keys.split(", ").flatMap((key, place) => [place ? " " : "", element("kbd", {}, key)])),
    element("dd", {}, words)));
  const box = element("input", { type: "checkbox" });
  box.checked = keysOn;
  box.addEventListener("change", () => {
    keysOn = box.checked;
    memory.set("keys", keysOn ? "on" : "off");
  });
  const form = element("form", { method: "dialog" }, element("button", {}, "Close"));
  const dialog = element("dialog", { "aria-labelledby": "help-title" },
    element("h2", { id: "help-title" }, "Keys"), element("dl", {}, ...rows),
    element("label", {}, box, "Keys are on"), form);
  document.body.append(dialog);
  return dialog;
}

const opener = element("button", { type: "button", class: "keys", "aria-label": "Keys and help" }, "?");
opener.addEventListener("click", openHelp);
document.querySelector(".masthead")?.append(opener);

// Tables

function valueOf(row, column, numeric) {
  const text = [...row.cells[column].childNodes].find((node) => node.nodeName !== "svg")?.textContent.trim() ?? "";
  if (!numeric) return text.toLocaleLowerCase("en");
  const found = Number.parseFloat(text.replaceAll(",", "").replace("−", "-"));
  return Number.isNaN(found) ? null : found;
}

function sortBy(head, numeric) {
  const table = head.closest("table");
  const column = head.cellIndex;
  const first = numeric ? "descending" : "ascending";
  const second = numeric ? "ascending" : "descending";
  const state = head.getAttribute("aria-sort") === first ? second : first;
  const sign = state === "ascending" ? 1 : -1;
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => [valueOf(row, column, numeric), row]);
  rows.sort(([a], [b]) => {
    if (a === null || b === null) return (a === null) - (b === null);
    return sign * (numeric ? a - b : a.localeCompare(b, "en"));
  });
  body.append(...rows.map(([, row]) => row));
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", state);
}

for (const table of document.querySelectorAll("table[data-sortable]")) {
  for (const head of table.tHead.rows[0].cells) {
    const numeric = head.classList.contains("num");
    let trigger = head.querySelector("a");
    if (!trigger) {
      trigger = element("button", { type: "button" }, head.textContent.trim(), element("span", { class: "arrow", "aria-hidden": "true" }));
      head.replaceChildren(trigger);
    }
    trigger.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      sortBy(head, numeric);
    });
  }
}

// Names of classes, suggested as one is typed

for (const field of document.querySelectorAll("input[data-suggest]")) {
  let waiting;
  field.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      const text = field.value.trim();
      if (!text) return;
      try {
        const answer = await fetch(`${field.form.action}/classes/names?${new URLSearchParams({ q: text })}`);
        if (!answer.ok || field.value.trim() !== text) return;
        field.list.replaceChildren(...(await answer.json()).map((name) => element("option", { value: name })));
      } catch { /* a name or a number can be typed all the same */ }
    }, 150);
  });
}

// Whole texts, fetched when a card is opened

for (const folded of document.querySelectorAll("details.excerpt")) {
  folded.addEventListener("toggle", async () => {
    const link = folded.querySelector(".whole a");
    if (!folded.open || !link || folded.dataset.asked) return;
    folded.dataset.asked = "yes";
    try {
      const answer = await fetch(link.href);
      if (!answer.ok) return;
      const text = element("div", { class: "reading", role: "region", "aria-label": "Whole text", tabindex: "0" }, await answer.text());
      link.closest("p").before(text);
      folded.classList.add("loaded");
    } catch { /* the link to the whole text is still there */ }
  });
}

// Code to copy

for (const code of document.querySelectorAll("pre[data-copy]")) {
  if (!navigator.clipboard) break;
  const button = element("button", { type: "button" }, "Copy");
  const frame = element("div", { class: "copying" });
  code.before(frame);
  frame.append(code, button);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(code.textContent.trim());
      button.textContent = "Copied";
    } catch { button.textContent = "Not allowed"; }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
}

// Folds: open around what an address names, and on paper

function unfold(inside) {
  for (let fold = inside?.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
}

function unfoldNamed() {
  const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!named?.closest("details:not([open])")) return;
  unfold(named);
  named.scrollIntoView();
}

unfoldNamed();
addEventListener("hashchange", unfoldNamed);
addEventListener("beforeprint", () => {
  for (const fold of document.querySelectorAll("main details:not([open], .filters)")) {
    fold.open = true;
    fold.dataset.printed = "yes";
  }
});
addEventListener("afterprint", () => {
  for (const fold of document.querySelectorAll("details[data-printed]")) {
    fold.open = false;
    delete fold.dataset.printed;
  }
});

// Back to results: to the very place one came from, if that was this gallery.

const back = document.querySelector("a[data-back]");
const came = document.referrer ? new URL(document.referrer) : null;
if (back && came?.origin === location.origin && came.pathname === new URL(back.href).pathname) {
  back.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || history.length < 2) return;
    event.preventDefault();
    history.back();
  });
}
