// How large the cards of a gallery are: set before anything is painted, so that nothing jumps.
"use strict";

try {
  const chosen = localStorage.getItem("density");
  if (chosen === "compact" || chosen === "pictures") document.documentElement.dataset.density = chosen;
} catch { /* blocked: cards are as large as usual */ }
