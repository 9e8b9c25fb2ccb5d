"use strict";
// Sorts and filters tables, and shows the details of a mark that is pointed at or walked to. The page is complete without it.
const valueOf = (row, column) => {
  const cell = row.cells[column];
  if (cell.dataset.value === undefined) return cell.textContent;
  return cell.dataset.value === "" ? NaN : Number(cell.dataset.value);
};
const compare = (one, other) => {
  if (typeof one === "string") return one.localeCompare(other);
  if (Number.isNaN(one) || Number.isNaN(other)) return Number.isNaN(one) - Number.isNaN(other);
  return one - other;
};
for (const table of document.querySelectorAll("table[data-table]")) {
  const body = table.tBodies[0];
  if (body.rows.length < 2) continue;
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...body.rows].sort((a, b) => compare(valueOf(a, column), valueOf(b, column)));
      body.append(...(down ? rows.reverse() : rows));
    });
  });
  if (body.rows.length < 10) continue;
  const filter = document.createElement("input");
  filter.type = "search";
  filter.placeholder = "filter rows";
  filter.setAttribute("aria-label", "filter rows of: " + (table.caption ? table.caption.textContent : "table"));
  filter.addEventListener("input", () => {
    const wanted = filter.value.trim().toLowerCase();
    for (const row of body.rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
  });
  table.parentElement.before(filter);
}
// Tells of what can be scrolled sideways that there is more of it; what is hidden has no width until it is shown.
const measure = (box) => {
  const more = box.scrollWidth > box.clientWidth + 1;
  box.toggleAttribute("data-more", more);
  box.toggleAttribute("data-fits", !more);
};
const watcher = new ResizeObserver((entries) => entries.forEach((entry) => measure(entry.target)));
for (const box of document.querySelectorAll(".scroll")) watcher.observe(box);
const tip = document.getElementById("tip");
const show = (mark) => {
  tip.textContent = mark ? mark.querySelector("title").textContent : "";
  tip.hidden = !mark;
};
for (const svg of document.querySelectorAll("svg.timeline")) {
  const marks = [...svg.querySelectorAll(".m")];
  const around = svg.parentElement; // Chromium makes a drawing with listeners of its own a stop of the Tab key
  const near = (event) => event.target.closest(".m");
  around.addEventListener("pointerover", (event) => show(near(event)));
  around.addEventListener("pointerleave", () => show(null));
  around.addEventListener("focusin", (event) => show(near(event)));
  around.addEventListener("focusout", () => show(null));
  around.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const from = marks.indexOf(document.activeElement);
    const to = event.key === "Home" ? 0 : event.key === "End" ? marks.length - 1 : from + step;
    if (!(to >= 0 && to < marks.length) || from < 0) return;
    event.preventDefault();
    marks[from].setAttribute("tabindex", "-1");
    marks[to].setAttribute("tabindex", "0");
    marks[to].focus();
  });
}
