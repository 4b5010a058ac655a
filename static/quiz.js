// The quiz: answers are compared here and sent nowhere.
"use strict";

const quizzes = document.querySelector(".quizzes");
for (const link of quizzes?.querySelectorAll("a") ?? []) {
  link.search = `?seed=${1 + Math.floor(Math.random() * Number(quizzes.dataset.last))}`;
}

const questions = [...document.querySelectorAll(".question")];
const answers = new Map();

function reveal(question, pick) {
  answers.set(question, pick);
  question.classList.add("answered");
  for (const button of question.querySelectorAll("[data-pick]")) {
    button.disabled = true;
    button.setAttribute("aria-pressed", String(button.dataset.pick === pick));
    button.classList.toggle("is-right", button.dataset.pick === question.dataset.right);
    button.classList.toggle("is-given", button.dataset.pick === question.dataset.given);
  }
  const answer = question.querySelector(".answer");
  answer.hidden = false;
  answer.open = true;
  // A screen reader reads the answer, and no key answers a question that is out of sight.
  answer.querySelector(".told").focus();
  if (answers.size === questions.length) finish();
}

function finish() {
  const picks = [...answers];
  const mine = picks.filter(([question, pick]) => pick === question.dataset.right).length;
  const labels = picks.filter(([question]) => question.dataset.given === question.dataset.right).length;
  const title = document.querySelector(".questions").dataset.title;
  const verb = mine > labels ? "You beat the label" : mine === labels ? "You and the label are even" : "The label beats you";
  const words = `${verb}: you agree with the reviewers on ${mine} of ${picks.length}, ${title}'s labels on ${labels}.`;
  const result = document.querySelector(".result");
  result.querySelector(".score").textContent = words;
  result.hidden = false;
  result.focus();
  result.querySelector("[data-share]").addEventListener("click", async (event) => {
    const text = `Can you beat the label? ${mine} of ${picks.length} for me, ${labels} for ${title}. ${location.href}`;
    try {
      await navigator.clipboard.writeText(text);
      event.target.textContent = "Copied";
    } catch {
      window.prompt("Copy this:", text);
    }
  });
}

for (const question of questions) {
  question.querySelector(".picks").hidden = false;
  question.querySelector(".no-script").remove();
  question.querySelector(".answer").hidden = true;
  for (const button of question.querySelectorAll("[data-pick]")) {
    button.addEventListener("click", () => reveal(question, button.dataset.pick));
  }
}
