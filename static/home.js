// One error at a time: a random one first, another on request.
"use strict";

const figures = [...document.querySelectorAll(".specimens figure")];
const another = document.querySelector("[data-another]");

function show(place) {
  figures.forEach((figure, at) => { figure.hidden = at !== place; });
}

if (another) {
  let place = Math.floor(Math.random() * figures.length);
  show(place);
  another.hidden = false;
  another.addEventListener("click", () => {
    place = (place + 1) % figures.length;
    show(place);
  });
}
