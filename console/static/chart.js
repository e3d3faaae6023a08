// Charts of an incident's values: fetched one after the other once they are open and in view, and kept while
// htmx swaps the values around them. How one is drawn is in chart_drawing.js.
(function () {
  "use strict";

  const FRESH_MS = 25000; // values are fetched every 30 s, and charts with them
  const PATIENCE_MS = 25000; // longer than the server waits for the history
  const AGAIN_MS = 10000; // after a failure

  const values = document.getElementById("values");
  if (!values || !window.drawChart) return;
  const words = values.dataset;
  const opened = new Map(); // what the reader opened or closed, by the id of the details
  const inView = new Set();
  const shown = new WeakMap(); // by box: the data, the plot, when it was fetched and when to ask again
  let hours = "";
  let fetching = false;

  const all = (selector) => [...values.querySelectorAll(selector)];

  function stateOf(box) {
    if (!shown.has(box)) shown.set(box, { fetchedAt: 0, hours: "", againAt: 0 });
    return shown.get(box);
  }

  // Which chart is asked for next.

  function isWanted(box) {
    const state = stateOf(box);
    const now = Date.now();
    if (!inView.has(box) || !box.closest("details").open || now < state.againAt) return false;
    return state.hours !== hours || !state.data || now - state.fetchedAt > FRESH_MS;
  }

  async function pump() {
    if (fetching || document.hidden) return;
    const box = all(".chart").find(isWanted);
    if (!box) return;
    fetching = true;
    try {
      await bring(box);
    } finally {
      fetching = false;
    }
    pump();
  }

  async function bring(box) {
    const state = stateOf(box);
    const asked = hours;
    if (!state.data) note(box, words.chartReading);
    const path = "/incident/" + words.incident + "/series/" + box.dataset.slot;
    try {
      const answer = await fetch(path + (asked ? "?hours=" + asked : ""), {
        headers: { "HX-Request": "true" }, // whoever is logged out gets a bare 401 and no page
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      if (!answer.ok) {
        const after = Number(answer.headers.get("Retry-After")) * 1000;
        later(box, after || AGAIN_MS, after ? words.chartBusy : words.chartFailed);
        return;
      }
      state.data = await answer.json();
    } catch (error) {
      later(box, AGAIN_MS, words.chartFailed);
      return;
    }
    state.fetchedAt = Date.now();
    state.hours = asked;
    draw(box);
  }

  function later(box, ms, text) {
    stateOf(box).againAt = Date.now() + ms;
    note(box, text);
  }

  // A line above the chart; what was drawn before stays.
  function note(box, text) {
    const line = box.querySelector(".chart-note");
    if (line) line.textContent = text;
    else box.prepend(window.drawChart.paragraph("chart-note soft small", text));
  }

  function draw(box) {
    const state = stateOf(box);
    if (state.plot) state.plot.destroy();
    state.plot = window.drawChart(box, state.data, words);
  }

  // What moves around the charts.

  const looks = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (entry.isIntersecting) inView.add(entry.target);
      else inView.delete(entry.target);
    }
    pump();
  }, { rootMargin: "100px" });

  const widths = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const { plot } = stateOf(target);
      if (plot && target.clientWidth && plot.width !== target.clientWidth) {
        plot.setSize({ width: target.clientWidth, height: plot.height });
      }
    }
  });

  function follow() {
    for (const details of all("details.value")) {
      if (opened.has(details.id)) details.open = opened.get(details.id);
    }
    for (const box of all(".chart")) {
      looks.observe(box);
      widths.observe(box);
    }
    for (const box of inView) if (!box.isConnected) inView.delete(box);
    pump();
  }

  function drawAll() {
    for (const box of all(".chart")) if (stateOf(box).data) draw(box);
  }

  function say(id, wanted) {
    document.getElementById(id).hidden = !wanted;
  }

  // A click and no `toggle`: that is told when a page opens or closes by itself as well.
  values.addEventListener("click", (click) => {
    const summary = click.target.closest("summary");
    if (summary) opened.set(summary.parentElement.id, !summary.parentElement.open);
  });
  values.addEventListener("toggle", pump, true);
  document.addEventListener("htmx:afterSwap", (swap) => {
    if (swap.target !== values) return;
    say("values-busy", false);
    say("values-slow", false);
    follow();
  });
  // A history that does not answer is no lost connection: the rest of the page goes on, what was shown stays.
  values.addEventListener("htmx:beforeSwap", (swap) => {
    const { status } = swap.detail.xhr;
    if (status < 500) return;
    swap.detail.isError = swap.detail.shouldSwap = false;
    say(status === 503 ? "values-busy" : "values-slow", true);
    const after = Number(swap.detail.xhr.getResponseHeader("Retry-After")) * 1000;
    if (after) window.setTimeout(() => window.htmx.trigger(values, "again"), after);
  });
  values.addEventListener("htmx:timeout", (timeout) => {
    timeout.stopPropagation();
    say("values-slow", true);
  });
  document.getElementById("chart-hours").addEventListener("click", (click) => {
    const button = click.target.closest("button");
    if (!button) return;
    hours = button.dataset.hours;
    for (const one of button.parentElement.children) one.setAttribute("aria-pressed", String(one === button));
    for (const box of all(".chart")) stateOf(box).againAt = 0;
    pump();
  });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  window.setInterval(pump, 1000);
  follow();
})();
