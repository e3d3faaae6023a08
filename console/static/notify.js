// A notice of the browser for each fire alarm that nobody has taken. It says the place as the board does, stays
// until somebody takes the alarm, and comes once in a browser, however many pages are open in it.
(function () {
  "use strict";

  const MARK = "gengfu.told."; // in this browser's storage: which page has told of which incident
  const STALE_MS = 180000; // a page that told and was not heard of for so long is gone; hidden pages look once a minute
  const page = Math.random().toString(36).slice(2);
  const shown = new Map(); // by incident: the notice of this page

  const byId = (id) => document.getElementById(id);
  const isThere = "Notification" in window && window.isSecureContext && "locks" in navigator;

  function showState() {
    const ask = byId("notify-ask");
    const off = byId("notify-off");
    if (!ask || !off) return;
    ask.hidden = !isThere || Notification.permission !== "default";
    off.hidden = isThere && Notification.permission !== "denied";
  }

  function untaken() {
    const found = new Map();
    for (const fire of document.querySelectorAll("#siren [data-fire]")) found.set(fire.dataset.fire, fire.dataset.place);
    return found;
  }

  // Whether another page of this browser has told of it and is still there.
  function isTold(id) {
    const [by, at] = (window.localStorage.getItem(MARK + id) || "").split(" ");
    return Boolean(by) && by !== page && Date.now() - Number(at) < STALE_MS;
  }

  function keepMark(id) {
    window.localStorage.setItem(MARK + id, page + " " + Date.now());
  }

  function show(id, place) {
    const notice = new Notification(byId("notify-ask").dataset.title, {
      body: place,
      tag: "gengfu-fire-" + id, // two of one tag are one on the screen
      icon: "/static/icon.svg",
      requireInteraction: true,
    });
    notice.addEventListener("click", () => window.focus());
    notice.addEventListener("show", () => countShown());
    shown.set(id, notice);
  }

  // For whoever looks at the page from outside: how many notices this page has shown since it was opened.
  function countShown() {
    const root = document.documentElement;
    root.dataset.notices = String(Number(root.dataset.notices || 0) + 1);
  }

  function settle(fires) {
    for (const [id, notice] of shown) {
      if (fires.has(id)) continue;
      notice.close();
      shown.delete(id);
    }
    for (const key of Object.keys(window.localStorage)) {
      const id = key.slice(MARK.length);
      if (key.startsWith(MARK) && !fires.has(id) && !isTold(id)) window.localStorage.removeItem(key);
    }
    for (const [id, place] of fires) {
      if (isTold(id)) continue;
      if (!shown.has(id)) show(id, place);
      keepMark(id);
    }
  }

  // One page at a time: two that hear of a fire in the same moment do not both tell.
  function look() {
    if (!isThere || Notification.permission !== "granted" || !byId("siren-count")) return;
    const fires = untaken();
    if (Number(byId("siren-count").dataset.untaken) && !fires.size) return; // a page that has not been told which
    navigator.locks.request("gengfu-notices", () => settle(fires)).catch(() => {
      byId("notify-off").hidden = false; // allowed, and it does not work
    });
  }

  // The page goes: whoever is left tells again, so that the notice stays.
  function leave() {
    for (const id of shown.keys()) {
      if (!isTold(id)) window.localStorage.removeItem(MARK + id);
    }
  }

  document.addEventListener("click", (click) => {
    if (!click.target.closest("#notify-ask")) return;
    Notification.requestPermission().then(() => {
      showState();
      look();
    });
  });
  window.addEventListener("pagehide", leave);
  document.addEventListener("DOMContentLoaded", () => {
    showState();
    look();
    const siren = byId("siren"); // drawn anew by whoever hears first
    if (siren) new MutationObserver(look).observe(siren, { childList: true });
  });
})();
