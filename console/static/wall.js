// The wall turns its own pages: what does not fit is shown a moment later, and then from the beginning again.
(function () {
  "use strict";

  const TURN_MS = 8000; // long enough to read a page from five metres (chosen)
  const shown = new Map(); // by section: which page it shows

  // The children of a sheet in rows: those that end at the same height.
  function rowsOf(sheet) {
    const rows = [];
    for (const child of sheet.children) {
      const box = child.getBoundingClientRect();
      let row = rows[rows.length - 1];
      if (!row || Math.abs(row.bottom - box.bottom) > 2) {
        row = { top: box.top, bottom: box.bottom, children: [] };
        rows.push(row);
      }
      row.top = Math.min(row.top, box.top);
      row.children.push(child);
    }
    return rows;
  }

  // As many rows to a page as fit the room, at least one.
  function pagesOf(section, sheet) {
    for (const child of sheet.children) child.hidden = false;
    const high = section.getBoundingClientRect().bottom - sheet.getBoundingClientRect().top + 1;
    const pages = [[]];
    let from = null;
    for (const row of rowsOf(sheet)) {
      if (from === null) from = row.top;
      if (row.bottom - from > high && pages[pages.length - 1].length) {
        pages.push([]);
        from = row.top;
      }
      pages[pages.length - 1].push(...row.children);
    }
    return pages;
  }

  function show(section, step) {
    const sheet = section.querySelector(".sheet");
    const pages = pagesOf(section, sheet);
    const at = ((shown.get(section.id) || 0) + step) % pages.length;
    shown.set(section.id, at);
    pages.forEach((page, n) => {
      for (const child of page) child.hidden = n !== at;
    });
    const turn = section.querySelector(".turn");
    turn.hidden = pages.length < 2;
    turn.textContent = at + 1 + " / " + pages.length;
  }

  function each(step) {
    for (const section of document.querySelectorAll(".turning")) show(section, step);
  }

  // Something has changed: the worst is on the first page.
  document.addEventListener("htmx:afterSwap", (swap) => {
    if (swap.target.id !== "wall") return;
    shown.delete("wall-open");
    each(0);
  });
  window.addEventListener("resize", () => each(0));
  document.addEventListener("DOMContentLoaded", () => each(0));
  if (document.readyState !== "loading") each(0);
  window.setInterval(() => each(1), TURN_MS);
})();
