// Pictures that are not on this site: from the visitor's own copy of the dataset's files, or, once they agreed, from
// labelerrors.com. A copy is read and kept in this browser (IndexedDB) and sent nowhere.
const OUTSIDE = "https://labelerrors.com/";
const AGREED = "pictures-from-labelerrors";
const LARGEST = 560; // the side to which small pictures are enlarged, as on pages that have theirs
const HIGHEST = 720;
const UNFOLDED = 180; // characters of a text that a card shows unfolded
const EXCERPT = 320;
const SMALL = 64; // such a picture is shown with square pixels

const session = {
  get(name) {
    try { return sessionStorage.getItem(name); } catch { return null; }
  },
  set(name, value) {
    try {
      if (value === null) sessionStorage.removeItem(name);
      else sessionStorage.setItem(name, value);
    } catch { /* blocked: the choice holds for this page only */ }
  },
};

const form = document.querySelector(".pictures");
const things = form?.dataset.things; // "pictures" or "texts"
const Things = things === "texts" ? "Texts" : "Pictures";

// The copy that this browser keeps: facts by dataset, pictures by dataset and index.

const asked = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});
const ended = (transaction) => new Promise((resolve, reject) => {
  transaction.oncomplete = resolve;
  transaction.onabort = transaction.onerror = () => reject(transaction.error);
});

function openStore() {
  const opening = indexedDB.open("label-errors-copies", 1);
  opening.onupgradeneeded = () => {
    opening.result.createObjectStore("copies");
    opening.result.createObjectStore("pictures");
  };
  return asked(opening);
}

class Kept {
  constructor(store, of) { this.store = store; this.of = of; }
  use(name, mode = "readonly") { return this.store.transaction(name, mode); }
  facts() { return asked(this.use("copies").objectStore("copies").get(this.of)); }
  picture(index) { return asked(this.use("pictures").objectStore("pictures").get([this.of, index])); }
  async clear() {
    const change = this.use(["copies", "pictures"], "readwrite");
    change.objectStore("copies").delete(this.of);
    change.objectStore("pictures").delete(IDBKeyRange.bound([this.of], [this.of, []]));
    await ended(change);
  }
  async put(pictures) {
    const change = this.use("pictures", "readwrite");
    for (const [index, blob] of pictures) change.objectStore("pictures").put(blob, [this.of, index]);
    await ended(change);
  }
  async finish(facts) {
    const change = this.use("copies", "readwrite");
    change.objectStore("copies").put(facts, this.of);
    await ended(change);
  }
}

/** The same for this page alone, where a browser keeps nothing. */
class Unkept {
  constructor() { this.pictures = new Map(); this.told = undefined; }
  async facts() { return this.told; }
  async picture(index) { return this.pictures.get(index); }
  async clear() { this.pictures.clear(); this.told = undefined; }
  async put(pictures) { for (const [index, blob] of pictures) this.pictures.set(index, blob); }
  async finish(facts) { this.told = { ...facts, unkept: true }; }
}

// Texts, as pages of this site show them: short on a card and a shelf, whole on the page of an issue.

function element(name, className, ...within) {
  const made = document.createElement(name);
  made.className = className;
  made.append(...within);
  return made;
}

const quote = (words) => element("p", "quote", words);

function foldedText(words) {
  if (words.length <= UNFOLDED) return quote(words);
  return element("details", "excerpt", element("summary", "", element("span", "clamp", words)));
}

function wholeText(words) {
  const whole = element("div", "reading", words);
  whole.tabIndex = 0;
  whole.setAttribute("role", "region");
  whole.setAttribute("aria-label", "Text");
  return whole;
}

// Places for pictures on this page. Each takes a picture and can give it back, if it does not load.

function cardPlace(card) {
  const link = card.querySelector(".look");
  return {
    index: Number(card.id.slice(1)),
    text: foldedText,
    frame: things === "pictures" && card.querySelector(`.elsewhere a[href^="${OUTSIDE}"]`) ? `${new URL(link.href).pathname}/picture` : null,
    show(medium) {
      const kind = things === "texts" ? "text" : "image";
      (kind === "text" ? card : link).prepend(medium);
      card.classList.replace("plain", kind);
      card.closest(".wall").classList.replace("wall-plain", `wall-${kind}`);
    },
    remove(medium) {
      medium.remove();
      card.querySelector(".zoom-card")?.remove();
      card.classList.replace("image", "plain");
    },
  };
}

function slotPlace(slot) {
  const exhibit = slot.closest(".exhibit");
  const url = document.querySelector(`.finding .elsewhere a[href^="${OUTSIDE}"]`);
  return {
    index: Number(slot.dataset.idx),
    text: wholeText,
    frame: things === "pictures" && url ? `${location.pathname}/picture` : null,
    show(medium) {
      slot.append(medium.localName === "iframe" ? enlarging(medium) : medium);
      slot.hidden = false;
      exhibit.classList.replace("plain", things === "texts" ? "text" : "image");
      if (medium.naturalWidth) fit(medium, exhibit);
    },
    remove() {
      slot.replaceChildren();
      slot.hidden = true;
      exhibit.classList.replace("image", "plain");
    },
  };
}

/** The button that enlarges a frame, around it from the start: a frame that is moved is loaded again. */
function enlarging(frame) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "zoom";
  button.setAttribute("aria-label", `Enlarge ${frame.title}`);
  button.append(frame);
  return button;
}

/** Enlarges a small picture to a whole multiple of its size, so that its pixels stay square; bounds a tall one. */
function fit(picture, exhibit) {
  const { naturalWidth: width, naturalHeight: height } = picture;
  const times = Math.floor(LARGEST / Math.max(width, height, 1));
  if (times > 1) exhibit.classList.add("pixels");
  const scale = times >= 1 ? times : Math.min(1, HIGHEST / height);
  picture.width = Math.round(width * scale);
  picture.height = Math.round(height * scale);
}

const shelfPlace = (item) => ({
  index: Number(item.dataset.idx),
  text: (words) => quote(words.length > EXCERPT ? `${words.slice(0, EXCERPT)}…` : words),
  frame: null,
  show(medium) {
    item.prepend(medium);
    for (const one of [item, item.closest(".shelf"), item.closest(".shelves")]) one.hidden = false;
  },
});

const places = [
  ...[...document.querySelectorAll(".wall > .card.plain")].map(cardPlace),
  ...[...document.querySelectorAll(".specimen.slot")].map(slotPlace),
  ...[...document.querySelectorAll(".shelf li[data-idx]")].map(shelfPlace),
];

async function showCopy(kept) {
  await Promise.all(places.map(async (place) => {
    const blob = await kept.picture(place.index);
    if (!blob) return;
    if (blob.type.startsWith("text/")) return void place.show(place.text(await blob.text()));
    const picture = document.createElement("img");
    picture.alt = `Example ${place.index}`;
    picture.src = URL.createObjectURL(blob);
    try { await picture.decode(); } catch { return; } // damaged in the copy: its labels stay
    picture.classList.toggle("pixels", picture.naturalWidth < SMALL);
    place.show(picture);
  }));
  document.dispatchEvent(new Event("pictures"));
}

function showOutside(failed) {
  for (const place of places.filter((one) => one.frame)) {
    const frame = document.createElement("iframe");
    frame.className = "outside";
    frame.title = `Example ${place.index} at labelerrors.com`;
    frame.tabIndex = -1;
    frame.loading = "lazy";
    frame.addEventListener("load", () => {
      const picture = frame.contentDocument?.images[0];
      if (picture && !picture.naturalWidth) failed(place, frame);
      else if (!picture && frame.contentDocument?.URL !== "about:blank") failed(place, frame);
    });
    frame.src = place.frame;
    place.show(frame);
  }
  document.dispatchEvent(new Event("pictures"));
}

// What the visitor is offered, and what holds now.

const state = form?.querySelector(".pictures-state");
const stop = form?.querySelector(".pictures-stop");
const bar = form?.querySelector("progress");
const offers = [...form?.querySelectorAll(".pictures-offer") ?? []];
const size = (bytes) => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)}\u00a0MB`;
const number = (n) => n.toLocaleString("en");

function say(words, button, does) {
  state.textContent = words;
  stop.hidden = !button;
  if (!button) return;
  stop.firstElementChild.textContent = button;
  stop.firstElementChild.onclick = does;
}

function offer(shown) {
  if (shown) say(`${Things} of ${form.dataset.title} that are not on this site can be shown all the same.`);
  for (const one of offers) {
    const possible = one.dataset.offer === "copy" || places.some((place) => place.frame);
    one.hidden = !shown || !possible;
  }
  form.hidden = shown && offers.every((one) => one.hidden);
}

function fromCopy(kept, facts) {
  offer(false);
  form.hidden = false;
  const found = facts.found === facts.of ? `${number(facts.found)}` : `${number(facts.found)} of ${number(facts.of)}`;
  const where = facts.unkept ? "for this page only, as your browser stores nothing" : `${size(facts.bytes)} kept in this browser`;
  say(`${Things} from your own copy, ${facts.name}: ${found} found, ${where}. Nothing was uploaded.`, "Forget them", async () => {
    await kept.clear();
    location.reload();
  });
  return showCopy(kept);
}

function fromOutside() {
  let lost = 0;
  for (const one of offers) one.hidden = one.dataset.offer === "outside";
  form.hidden = false;
  const stopped = () => { session.set(AGREED, null); location.reload(); };
  say("Pictures come from labelerrors.com, until you close this tab.", "Stop", stopped);
  showOutside((place, frame) => {
    place.remove(frame);
    lost += 1;
    const which = lost === 1 ? "One picture" : `${number(lost)} pictures`;
    say(`Pictures come from labelerrors.com. ${which} did not load, so the labels are shown instead.`, "Stop", stopped);
  });
}

// Reading a copy

async function read(files, kept) {
  const fields = [...form.querySelectorAll("input")];
  const busy = (now) => { for (const field of fields) field.disabled = now; bar.hidden = !now; };
  busy(true);
  say("Reading …");
  try {
    await kept.clear();
    const answer = await fetch(form.action);
    if (!answer.ok) throw new Error("this site did not say which examples to look for");
    const facts = await readInWorker(files, await answer.json(), kept);
    if (!facts.found) throw new Error(`${facts.name} has none of the ${number(facts.of)} examples that are looked for. Is it the right part of ${form.dataset.title}?`);
    await kept.finish(facts);
    busy(false);
    await fromCopy(kept, await kept.facts());
    stop.firstElementChild.focus();
  } catch (error) {
    busy(false);
    await kept.clear().catch(() => {});
    const full = error?.name === "QuotaExceededError";
    say(full ? `Your browser has no room to keep the ${things}, so none is shown.` : error.message);
    state.classList.add("refused");
  }
}

function readInWorker(files, wanted, kept) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("copy_reader.js", import.meta.url));
    let bytes = 0;
    let storing = Promise.resolve();
    const end = (settle, value) => { worker.terminate(); settle(value); };
    worker.onerror = () => end(reject, new Error("Your browser cannot read such files."));
    worker.onmessage = ({ data }) => {
      if (data.done !== undefined) bar.value = data.done || 0; // of an empty file no share is read
      else if (data.refused) end(reject, new Error(data.refused));
      else if (data.pictures) {
        for (const [, blob] of data.pictures) bytes += blob.size;
        storing = storing.then(() => kept.put(data.pictures));
        storing.catch((error) => end(reject, error));
      } else {
        storing.then(() => end(resolve, { ...data.read, bytes, version: form.dataset.version }), () => {});
      }
    };
    worker.postMessage({ files, wanted });
  });
}

async function start() {
  let kept;
  try {
    kept = new Kept(await openStore(), new URL(form.action).pathname);
    const facts = await kept.facts();
    if (facts?.version === form.dataset.version) return void await fromCopy(kept, facts);
    if (facts) await kept.clear(); // of other examples under the same numbers, perhaps
  } catch {
    kept = new Unkept();
  }
  offer(true);
  if (session.get(AGREED) && places.some((place) => place.frame)) fromOutside();
  form.querySelector('[data-offer="outside"] button').addEventListener("click", () => {
    session.set(AGREED, "yes");
    fromOutside();
    stop.firstElementChild.focus();
  });
  for (const field of form.querySelectorAll("input")) {
    field.addEventListener("change", () => {
      state.classList.remove("refused");
      if (field.files.length) read([...field.files], kept).finally(() => { field.value = ""; });
    });
  }
}

form?.addEventListener("submit", (event) => event.preventDefault());
if (form && places.length) start();
