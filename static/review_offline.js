// Tasks that came with the page itself: the four methods of RaterServer without a server, and a file of the answers.
"use strict";

{
  const sheet = JSON.parse(document.querySelector("#offline-tasks").textContent);
  const box = `label-errors-offline:${sheet.rater}`;
  const given = new Map();
  const LONGEST = 3600;  // seconds; beyond it the rater was elsewhere
  let since = Date.now();  // when the rater began to look
  try {
    for (const one of JSON.parse(localStorage.getItem(box) ?? "[]")) given.set(one.task, one);
  } catch { /* nothing was kept here, or it is damaged */ }

  const keep = () => {
    try { localStorage.setItem(box, JSON.stringify([...given.values()])); } catch { /* in this page alone */ }
    document.querySelector("#offline-count").textContent = String(given.size);
  };
  const whole = (task) => {
    const side = (one) => ({ name: one.name, exemplars: one.exemplars.map((name) => sheet.media[name]) });
    const found = { ...task, progress: { done: given.size, of: sheet.tasks.length } };
    found.media = task.media.map((one) => ({ ...one, address: sheet.media[one.address] ?? one.address }));
    if (task.choices) found.choices = task.choices.map(side);
    else Object.assign(found, { a: side(task.a), b: side(task.b) });
    return found;
  };

  RaterServer.prototype.next = async function next(after = null) {
    const open = sheet.tasks.find((one) => !given.has(one.task) && one.task !== after);
    return { task: open ? whole(open) : null, seconds: null };
  };
  RaterServer.prototype.vote = async function vote({ task, answer, key }) {
    if (!sheet.tasks.some((one) => one.task === task)) throw new RefusedError(404, "This answer is of another file.");
    const now = Date.now();
    given.set(task, { task, answer, key, seconds: Math.min(Math.max(0, now - since) / 1000, LONGEST) });
    since = now;
    keep();
  };
  RaterServer.prototype.takeBack = async function takeBack() {
    const last = [...given.keys()].at(-1);
    if (last === undefined) return null;
    given.delete(last);
    since = Date.now();
    keep();
    return last;
  };
  RaterServer.prototype.renew = async function renew() { return true; };

  document.querySelector("#offline-save").addEventListener("click", () => {
    const { round, rater } = sheet;
    const answers = { label_errors_answers: 1, round, rater, answers: [...given.values()] };
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([JSON.stringify(answers, null, 1)], { type: "application/json" }));
    link.download = `${round}-answers.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  });
  keep();
}
