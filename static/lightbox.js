// Pictures enlarged in place: Enter or a click opens one, arrows go on, Escape closes. Small ones keep square pixels.
const SHOWN = ".wall > .card.image .look, .specimen, .shelf-image li";
const MEDIA = "img:not(.wave), iframe.outside";

let box = null;
let frames = [];
let at = 0;

const holders = () => [...document.querySelectorAll(SHOWN)].filter((one) => one.querySelector(MEDIA));

/** The largest file of a picture that the page names. */
function largest(picture) {
  const named = picture.srcset.split(",").map((one) => one.trim().split(" ")).filter(([url]) => url);
  named.sort((a, b) => Number.parseInt(b[1], 10) - Number.parseInt(a[1], 10));
  return picture.closest("a.full")?.href ?? named[0]?.[0] ?? picture.currentSrc;
}

function titleOf(holder) {
  const card = holder.closest(".card");
  if (card) {
    return [element("p", { class: "aside" }, `Example ${card.id.slice(1)}`), card.querySelector(".labels").cloneNode(true)];
  }
  const shelf = holder.closest(".shelf")?.querySelector("figcaption").textContent;
  if (shelf) return [element("p", {}, `Typical example of the ${shelf}`)];
  const heading = document.querySelector(".issue-head h1");
  return [element("p", {}, ...[...heading.childNodes].slice(1).map((node) => node.cloneNode(true)))];
}

/** A whole multiple of a small picture's size, as large as there is room; less than its size only for a large one. */
function scale(picture) {
  const room = box.querySelector(".lightbox-view").getBoundingClientRect();
  const least = Math.min(room.width / picture.naturalWidth, room.height / picture.naturalHeight);
  const times = least >= 1 ? Math.floor(least) : least;
  picture.classList.toggle("pixels", times >= 2);
  picture.width = Math.round(picture.naturalWidth * times);
  picture.height = Math.round(picture.naturalHeight * times);
}

async function show(place) {
  at = (place + frames.length) % frames.length;
  const holder = frames[at];
  const there = holder.querySelector(MEDIA);
  const view = box.querySelector(".lightbox-view");
  const page = holder.closest(".card")?.querySelector(".look").href;
  box.querySelector(".lightbox-said").replaceChildren(...titleOf(holder));
  box.querySelector(".lightbox-count").textContent = frames.length > 1 ? `${at + 1} of ${frames.length}` : "";
  const link = box.querySelector(".lightbox-page");
  link.hidden = !page && !there.closest("a.full");
  link.textContent = page ? "Open the example" : "Only the picture";
  link.href = page ?? there.closest("a.full")?.href ?? "";
  for (const step of box.querySelectorAll("[data-by]")) step.hidden = frames.length < 2;
  if (there.localName === "iframe") {
    const frame = element("iframe", { src: there.src, title: there.title, class: "outside", tabindex: "-1" });
    view.replaceChildren(frame);
    return;
  }
  const picture = element("img", { src: largest(there), alt: there.alt });
  view.replaceChildren(picture);
  try { await picture.decode(); } catch { return; }
  if (picture.isConnected) scale(picture);
}

function build() {
  const step = (by, words, sign) => {
    const button = element("button", { type: "button", "data-by": by, "aria-label": words }, sign);
    button.addEventListener("click", () => show(at + by));
    return button;
  };
  const close = element("button", { type: "button", class: "lightbox-close" }, "Close");
  close.addEventListener("click", () => box.close());
  box = element("dialog", { class: "lightbox", "aria-label": "Picture, enlarged" },
    element("div", { class: "lightbox-view" }),
    element("div", { class: "lightbox-bar" },
      element("div", { class: "lightbox-said", "aria-live": "polite" }),
      element("div", { class: "lightbox-steps" },
        step(-1, "Previous picture", "←"), element("span", { class: "lightbox-count aside" }), step(1, "Next picture", "→"),
        element("a", { class: "lightbox-page act" }), close)));
  box.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by && frames.length > 1) { event.preventDefault(); show(at + by); }
    if (event.key === "Enter" && event.target === box) box.querySelector(".lightbox-page:not([hidden])")?.click();
  });
  box.addEventListener("click", (event) => { if (event.target === box || event.target.matches(".lightbox-view")) box.close(); });
  box.addEventListener("close", () => {
    box.querySelector(".lightbox-view").replaceChildren();
    const holder = frames[at];
    (holder.matches("a, button") ? holder : holder.querySelector("a, button"))?.focus();
  });
  document.body.append(box);
}

function open(holder) {
  if (!box) build();
  frames = holders();
  box.showModal();
  show(frames.indexOf(holder));
}

// On a wall a click opens the example's page, so each card has a button; elsewhere the picture is the button.

function prepare() {
  for (const holder of holders()) {
    const card = holder.closest(".wall > .card");
    const there = holder.querySelector(MEDIA);
    if (card) {
      if (card.querySelector(".zoom-card")) continue;
      const button = element("button", { type: "button", class: "zoom-card", "aria-label": `Enlarge example ${card.id.slice(1)}`, tabindex: "-1" }, "⤢");
      button.addEventListener("click", () => open(holder));
      holder.after(button);
    } else if (!there.closest("a.full, .zoom")) {
      const button = element("button", { type: "button", class: "zoom", "aria-label": `Enlarge ${(there.alt || there.title).replace(/^Example/, "example")}` });
      there.replaceWith(button);
      button.append(there);
    }
  }
}

document.addEventListener("click", (event) => {
  const trigger = event.target.closest?.("a.full, .zoom");
  if (!trigger || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  open(trigger.closest(SHOWN));
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "z" || !keysOn || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.target.closest?.("input, textarea, select, [contenteditable], dialog")) return;
  const holder = document.activeElement?.closest(SHOWN) ?? document.activeElement?.closest(".card")?.querySelector(".look") ?? holders()[0];
  if (!holder?.querySelector(MEDIA)) return;
  event.preventDefault();
  open(holder);
});
document.addEventListener("pictures", prepare);
prepare();
