// Needs you by keyboard: 1 to 9 choose, N, X decide, S goes to the next title or page, U takes back. The buttons do the same.
"use strict";

{
  const cards = [...document.querySelectorAll("[data-card]")];
  const linked = document.getElementById(location.hash.slice(1));
  let current = linked?.matches("[data-card]") ? linked : cards[0];
  if (current === linked) linked?.focus({ preventScroll: true });

  document.addEventListener("focusin", (event) => {
    current = event.target.closest("[data-card]") ?? current;
  });

  document.addEventListener("keydown", (event) => {
    const busy = event.ctrlKey || event.metaKey || event.altKey || event.repeat;
    if (busy || event.target.closest("input:not([type=checkbox]), select, textarea")) return;
    const key = event.key.toLowerCase();
    if (key === "s") {
      const more = document.querySelector("main a[rel=next]");
      if (more && current === cards.at(-1)) return more.click();
      const next = cards[cards.indexOf(current) + 1] ?? cards[0];
      next?.focus();
      next?.scrollIntoView({ block: "start" });
      return;
    }
    const button = (key === "u" ? document : current)?.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (!button || button.disabled) return;
    button.click();
  });
}
