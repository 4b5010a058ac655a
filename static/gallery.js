// A gallery: the size of its cards, and its link and indices to copy.
"use strict";

const root = document.documentElement;
const sizes = [...document.querySelectorAll("[data-density]")].filter((one) => one !== root);

function showDensity() {
  const now = root.dataset.density ?? "comfortable";
  for (const button of sizes) button.setAttribute("aria-pressed", String(button.dataset.density === now));
}

for (const button of sizes) {
  button.addEventListener("click", () => {
    const chosen = button.dataset.density;
    if (chosen === "comfortable") delete root.dataset.density;
    else root.dataset.density = chosen;
    try { localStorage.setItem("density", chosen); } catch { /* blocked: it holds for this page only */ }
    showDensity();
  });
}
// Text and sounds have no pictures to show alone, and come in one size.
const ofPictures = document.querySelector(".wall-image");
if (ofPictures && sizes.length) {
  sizes[0].parentElement.hidden = false;
  showDensity();
}

const copies = document.querySelector(".copies");
if (copies && navigator.clipboard) {
  const indices = [...document.querySelectorAll(".wall > .card")].map((card) => card.id.slice(1));
  const said = copies.querySelector("[role=status]");
  const texts = {
    link: () => [location.href, "Link copied."],
    indices: () => [indices.join("\n"), `${indices.length} ${indices.length === 1 ? "index" : "indices"} of this page copied.`],
  };
  for (const button of copies.querySelectorAll("[data-copies]")) {
    button.hidden = button.dataset.copies === "indices" && !indices.length;
    button.addEventListener("click", async () => {
      const [text, done] = texts[button.dataset.copies]();
      said.textContent = "";
      try {
        await navigator.clipboard.writeText(text);
        said.textContent = done;
      } catch { said.textContent = "This browser does not allow copying here."; }
    });
  }
  copies.hidden = false;
}
