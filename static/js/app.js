// The little that htmx and plain forms don't do. Everything works without it.
"use strict";

// A hidden tab doesn't poll, and neither does a list that is paused.
document.addEventListener("htmx:beforeRequest", (event) => {
  const trigger = event.target.getAttribute("hx-trigger") || "";
  const paused = event.target.parentElement?.matches("[data-paused]");
  if ((document.hidden || paused) && trigger.includes("every")) event.preventDefault();
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-pause]");
  if (!button) return;
  const paused = document.getElementById(button.dataset.pause).toggleAttribute("data-paused");
  button.setAttribute("aria-pressed", paused);
});

// "HX-Trigger: {"toast": "..."}" says so in the live region that was there from the start.
document.addEventListener("toast", (event) => {
  const line = document.createElement("p");
  line.textContent = event.detail.value;
  document.getElementById("toasts").append(line);
  setTimeout(() => line.remove(), 6000);
});

// A server that doesn't answer says so once, and again when it does.
let lost = false;
function answers(event) {
  const gone = event.type === "htmx:sendError" || event.detail.xhr?.status >= 500;
  if (gone === lost) return;
  lost = gone;
  const words = document.getElementById("toasts").dataset;
  document.dispatchEvent(new CustomEvent("toast", { detail: { value: lost ? words.lost : words.back } }));
}
document.addEventListener("htmx:sendError", answers);
document.addEventListener("htmx:afterRequest", (event) => event.detail.xhr?.status && answers(event));

// What needs a script appears with it.
function prepare(root) {
  for (const button of root.querySelectorAll("[hidden]:is([data-copy], [data-copy-from], [data-pause], [data-all])")) button.hidden = false;
  for (const form of root.querySelectorAll("form[data-ticks]")) count(form);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button:is([data-copy], [data-copy-from])");
  if (!button) return;
  const lines = document.getElementById(button.dataset.copyFrom)?.querySelectorAll("li:not([hidden])") ?? [];
  const text = button.dataset.copy ?? Array.from(lines, (line) => line.innerText.replace(/\s*\n\s*/g, " ")).join("\n");
  copy(text, button).then(() => {
    document.dispatchEvent(new CustomEvent("toast", { detail: { value: button.dataset.copied } }));
  });
});

// Browsers give the clipboard to https and this machine only; elsewhere the older way still works.
async function copy(text, button) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = document.createElement("textarea");
  field.value = text;
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
  button.focus();
}

// A code that runs out shows its time; the server says how much is left with every look.
setInterval(() => {
  for (const time of document.querySelectorAll("[data-countdown]")) {
    const left = Math.max(time.dataset.countdown - 1, 0);
    time.dataset.countdown = left;
    time.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
  }
}, 1000);

// Ticks of a preview: the sentence beside "Send" counts what is ticked.
function count(form) {
  const boxes = [...form.querySelectorAll("tbody input[type=checkbox]:not([data-all])")];
  const ticked = boxes.filter((box) => box.checked);
  const unseen = form.elements.rest; // titles of a long plan that are not shown; "Tick all" unticks them too
  const rest = unseen && !unseen.disabled ? unseen.dataset : { entries: 0, plays: 0 };
  const more = form.querySelector("[data-rest]");
  if (more) more.hidden = unseen.disabled;
  const plays = ticked.reduce((sum, box) => sum + Number(box.dataset.plays || 0), Number(rest.plays));
  const entries = ticked.length + Number(rest.entries);
  const line = form.querySelector("[data-count]");
  if (line) line.textContent = line.dataset.count.replace("{entries}", entries).replace("{all}", boxes.length + Number(unseen?.dataset.entries ?? 0)).replace("{plays}", plays.toLocaleString(document.documentElement.lang));
  const send = form.querySelector("button[data-send]");
  if (!send) return;
  send.disabled = entries === 0;
  send.dataset.whole ??= send.textContent;
  const all = Number(form.elements.ticks.value) + Number(form.elements.extra_ticks?.value ?? 0);
  send.textContent = entries === all ? send.dataset.whole : send.dataset.send.replace("{plays}", plays.toLocaleString()).replace("{entries}", entries);
}

document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-ticks]");
  if (!form) return;
  if (event.target.matches("[data-all]")) {
    for (const box of event.target.closest("tbody, table").querySelectorAll("input[type=checkbox]")) box.checked = event.target.checked;
    if (form.elements.rest && !event.target.closest("tbody")) form.elements.rest.disabled = !event.target.checked;
  }
  count(form);
});

// A log that grows downwards stays at its newest line, unless one has scrolled up to read.
document.addEventListener("htmx:beforeSwap", (event) => {
  const log = event.target.closest?.("[data-tail]");
  if (log) log.dataset.tail = log.scrollTop + log.clientHeight >= log.scrollHeight - 40 ? "end" : "held";
});

document.addEventListener("htmx:afterSettle", () => {
  for (const log of document.querySelectorAll("[data-tail=end]")) log.scrollTop = log.scrollHeight;
});

document.addEventListener("htmx:afterSettle", (event) => prepare(event.target));
document.addEventListener("DOMContentLoaded", () => prepare(document));

// "/" goes to the page's search, else to that of the titles. Not while one types.
function search() {
  const field = document.querySelector("main input[type=search]");
  field?.focus();
  field?.select();
  return field;
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input:not([type=checkbox], [type=radio]), select, textarea");
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || typing) return;
  event.preventDefault();
  if (!search()) location.assign(document.body.dataset.search);
});
document.addEventListener("DOMContentLoaded", () => location.hash === "#q" && search());
