// One sound at a time, and the space bar plays and stops it.
document.addEventListener("play", (event) => {
  for (const other of document.querySelectorAll("audio")) if (other !== event.target) other.pause();
}, true);

/** The sound one means: that of the card in hand, else the one that plays or played last, else the only one. */
function soundMeant() {
  const sounds = [...document.querySelectorAll("audio")];
  const card = document.activeElement?.closest(".card, .shelf li") ?? document.querySelector(".current-card");
  return card?.querySelector("audio") ?? sounds.find((one) => !one.paused) ?? sounds.find((one) => one.currentTime > 0)
    ?? document.querySelector(".specimen audio") ?? (sounds.length === 1 ? sounds[0] : null);
}

document.addEventListener("keydown", (event) => {
  if (event.key !== " " || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.defaultPrevented) return;
  if (!keysOn || event.target.closest?.("input, textarea, select, button, summary, audio, dialog, [contenteditable]")) return;
  const sound = soundMeant();
  if (!sound) return;
  event.preventDefault();
  if (sound.paused) sound.play().catch(() => {});
  else sound.pause();
});
