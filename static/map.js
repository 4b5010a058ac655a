// A box drawn on the map fills the fields of the form beside it, which work without this.
"use strict";

const map = document.querySelector("svg.map");
const form = document.querySelector("form.map-form");
const ground = map.querySelector(".map-ground");
const squares = [...map.querySelectorAll("[data-at]")].map((one) => {
  const [x, y] = one.dataset.at.split(" ").map(Number);
  return { x, y, n: Number(one.dataset.n) };
});
// The part that is drawn: squares across it, squares to the unit, and the numbers of the first square.
const [fine, side, first, lowest] = form.dataset.frame.split(" ").map(Number);
const box = document.createElementNS("http://www.w3.org/2000/svg", "rect");
box.setAttribute("class", "drawn-box");
const [left, top_, width, height] = ["x", "y", "width", "height"].map((name) => Number(ground.getAttribute(name)));
let begun = null;

function place(event) {
  const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(map.getScreenCTM().inverse());
  const clamp = (share) => Math.min(Math.max(share, 0), 1);
  return { x: clamp((at.x - left) / width), y: clamp((top_ + height - at.y) / height) };
}

// The squares between two points: from, and up to without, in squares from the edge of the drawing.
function span(a, b, n) {
  const [low, high] = [Math.min(a, b), Math.max(a, b)];
  const from = Math.min(Math.floor(low * n), n - 1);
  return [from, Math.max(Math.ceil(high * n), from + 1)];
}

function choose(a, b) {
  const xs = span(a.x, b.x, fine);
  const ys = span(a.y, b.y, 2 * fine);
  box.setAttribute("x", left + (xs[0] / fine) * width);
  box.setAttribute("width", ((xs[1] - xs[0]) / fine) * width);
  box.setAttribute("y", top_ + height - (ys[1] / (2 * fine)) * height);
  box.setAttribute("height", ((ys[1] - ys[0]) / (2 * fine)) * height);
  map.append(box);
  form.elements.confidence_from.value = (first + xs[0]) / side;
  form.elements.confidence_to.value = (first + xs[1]) / side;
  form.elements.margin_from.value = (lowest + ys[0]) / side;
  form.elements.margin_to.value = (lowest + ys[1]) / side;
  const within = (place, [from, to]) => place >= from && place < to;
  const inside = squares.filter(({ x, y }) => within(x - first, xs) && within(y - lowest, ys));
  const n = inside.reduce((sum, one) => sum + one.n, 0);
  form.querySelector("output").textContent = `${n.toLocaleString("en")} ${n === 1 ? "issue" : "issues"}`;
}

map.classList.add("drawable");
map.addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return;
  event.preventDefault();
  map.setPointerCapture(event.pointerId);
  begun = place(event);
  choose(begun, begun);
});
map.addEventListener("pointermove", (event) => {
  if (begun) choose(begun, place(event));
});
for (const end of ["pointerup", "pointercancel"]) map.addEventListener(end, () => { begun = null; });
