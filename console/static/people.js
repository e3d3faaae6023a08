// A number that was asked for goes from the page when its time is over, also after the machine has slept, and
// when the page is left. Without this script it stays until the page is loaded again.
(function () {
  "use strict";

  const LOOK_MS = 500;
  const shownAt = new WeakMap();

  const numbers = () => document.querySelectorAll("[data-gone-s]");

  function isOver(number) {
    const now = Date.now();
    if (!shownAt.has(number)) shownAt.set(number, now);
    const at = shownAt.get(number);
    return now < at || now - at >= Number(number.dataset.goneS) * 1000; // before: a clock put back
  }

  function clear() {
    for (const number of numbers()) if (isOver(number)) number.remove();
  }

  clear();
  setInterval(clear, LOOK_MS);
  window.addEventListener("pagehide", () => {
    for (const number of numbers()) number.remove();
  });
})();
