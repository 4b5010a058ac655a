// The slider and the choice of models on pages of stability. They already have every number; this only spares a reload.
"use strict";

const section = () => document.querySelector(".prevalences");

function ranksOf(values) {
  const ordered = [...values].sort((a, b) => b - a);
  return values.map((value) => ordered.findIndex((other) => Math.abs(other - value) < 1e-8) + 1);
}

function told(rank, ranks) {
  return ranks.filter((other) => other === rank).length > 1 ? `${rank}=` : String(rank);
}

function words(fraction) {
  return `${(100 * fraction).toFixed(2)}\u00a0%`;
}

function place(slider, chart) {
  // The dotted rule goes where the axis of the server's drawing has this prevalence: between its first and last tick.
  const ticks = [...chart.querySelectorAll(".tick")].map((tick) => Number.parseFloat(tick.getAttribute("d").slice(1)));
  const least = Number(section().dataset.least);
  const most = Number(section().dataset.most);
  const at = Number(slider.value) / 100;
  let share = least < most ? (at - least) / (most - least) : 0;
  if (section().dataset.scale === "log") {
    const low = Math.max(least, 1e-4);
    share = Math.log(Math.max(at, low) / low) / Math.log(most / low);
  }
  const x = ticks[0] + share * (ticks[ticks.length - 1] - ticks[0]);
  const rule = chart.querySelector(".here");
  if (at > most * (1 + 1e-9)) rule.setAttribute("visibility", "hidden");
  else rule.removeAttribute("visibility");
  rule.setAttribute("d", rule.getAttribute("d").replace(/^M[\d.]+/, `M${x.toFixed(1)}`));
}

function stand(slider) {
  const at = Number(slider.value) / 100;
  const body = section().querySelector("#standings tbody");
  const rows = [...body.rows].map((row) => {
    const { b, o, c } = row.dataset;
    const on = (end) => at * Number(end) + (1 - at) * Number(b);
    return { row, original: on(o), corrected: on(c) };
  });
  const before = ranksOf(rows.map((r) => r.original));
  const after = ranksOf(rows.map((r) => r.corrected));
  rows.forEach((r, index) => {
    const cells = r.row.cells;
    r.rank = after[index];
    cells[1].textContent = told(before[index], before);
    cells[2].textContent = told(after[index], after);
    cells[3].textContent = words(r.original);
    cells[4].textContent = words(r.corrected);
  });
  rows.sort((a, b) => a.rank - b.rank || a.row.cells[0].textContent.localeCompare(b.row.cells[0].textContent, "en"));
  body.append(...rows.map((r) => r.row));
  section().querySelector("output").textContent = (100 * at).toFixed(2);
  section().querySelector(".at-words").textContent = words(at);
  for (const chart of section().querySelectorAll("svg.prevalence")) place(slider, chart);
}

let latest = 0;

async function redraw(form, focused) {
  const mine = ++latest;
  const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));
  const address = `${form.action.split("#")[0]}?${query}`;
  try {
    const answer = await fetch(address);
    if (!answer.ok || mine !== latest) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of [".drawn", ".model-choice > summary"]) document.querySelector(part).replaceWith(page.querySelector(part));
    history.replaceState(null, "", address);
    focused?.focus({ preventScroll: true });
  } catch { /* the button still works */ }
}

function choose(form) {
  const boxes = [...form.querySelectorAll("input[type=checkbox]")];
  const bound = () => {
    const full = boxes.filter((box) => box.checked).length >= 8;
    for (const box of boxes) box.disabled = full && !box.checked;
  };
  bound();
  for (const box of boxes) {
    box.addEventListener("change", () => {
      bound();
      if (boxes.some((one) => one.checked)) redraw(form, box);
    });
  }
  const field = form.querySelector("input[type=search]");
  // The list that a search without a script has shortened has not all models to search.
  if (!field || field.value) return;
  field.removeAttribute("name");
  field.addEventListener("input", () => {
    const wanted = field.value.trim().toLocaleLowerCase("en");
    for (const box of boxes) box.closest("label").hidden = !box.checked && !box.value.toLocaleLowerCase("en").includes(wanted);
  });
}

const picker = document.querySelector(".picker");
if (picker) choose(picker);
const slider = picker?.querySelector("input[type=range]");
slider?.addEventListener("input", () => stand(slider));
slider?.addEventListener("change", () => redraw(picker, slider));
