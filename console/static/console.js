// The parts of a page that must move by themselves: clocks, the alarm sound, the title, and the warning
// that what is on the screen may be old. Everything else is fetched and swapped by htmx.
(function () {
  "use strict";

  const STALE_AFTER_MS = 3000; // an interruption this long is said; shorter ones heal unseen
  const SILENT_AFTER_MS = 40000; // the server pings every 15 s

  const NOTICE_MS = 15000;

  let aheadMs = 0; // the server's clock minus ours
  let interruptedAt = 0;
  let heardAt = Date.now();
  let ended = false;
  const listened = new WeakSet();

  const byId = (id) => document.getElementById(id);
  const all = (selector) => document.querySelectorAll(selector);
  const twoDigits = (n) => String(n).padStart(2, "0");

  // As console/pages.py span_text.
  function spanText(seconds) {
    const whole = Math.max(0, Math.floor(seconds));
    const days = Math.floor(whole / 86400);
    const hours = Math.floor(whole / 3600);
    const minutes = Math.floor(whole / 60);
    if (days) return days + " d " + (hours % 24) + " h";
    if (hours) return hours + ":" + twoDigits(minutes % 60) + ":" + twoDigits(whole % 60);
    return minutes + ":" + twoDigits(whole % 60);
  }

  function readServerClock() {
    const stamps = all("[data-now-us]");
    let newest = 0;
    for (const stamp of stamps) newest = Math.max(newest, Number(stamp.dataset.nowUs) / 1000);
    if (newest) aheadMs = newest - Date.now();
  }

  function tick() {
    const now = Date.now() + aheadMs;
    for (const at of all("[data-since-us]")) {
      at.textContent = spanText((now - Number(at.dataset.sinceUs) / 1000) / 1000);
    }
    for (const at of all("[data-due-us]")) {
      const left = (Number(at.dataset.dueUs) / 1000 - now) / 1000;
      at.textContent = left > 0 ? spanText(left) : at.dataset.dueNow;
    }
    showSiteClock(now);
    showConnection();
  }

  function showSiteClock(nowMs) {
    const at = byId("site-clock");
    if (!at || !byId("live")) return;
    const timeZone = at.dataset.timezone;
    at.textContent = new Date(nowMs).toLocaleTimeString("en-GB", { timeZone });
    byId("live-on").hidden = false;
  }

  function showConnection() {
    const now = Date.now();
    const silent = byId("live") && now - heardAt > SILENT_AFTER_MS;
    const lost = silent || (interruptedAt && now - interruptedAt > STALE_AFTER_MS);
    const off = byId("live-off");
    const over = byId("live-ended");
    if (off) off.hidden = ended || !lost;
    if (over) over.hidden = !ended;
    document.documentElement.classList.toggle("stale", Boolean(lost || ended));
  }

  // Sound and title follow the number of fire alarms that nobody has taken, at every swap.
  function soundAlarm() {
    const siren = byId("siren-count");
    const sound = byId("alarm-sound");
    if (!siren || !sound) return;
    const untaken = Number(siren.dataset.untaken);
    const title = document.documentElement.dataset.title;
    document.title = untaken ? "【" + untaken + "】" + siren.dataset.title + " · " + title : title;
    sound.dataset.sounding = untaken ? "yes" : "no";
    if (untaken && sound.paused) {
      sound.loop = true;
      sound.play().then(() => showBlocked(false), () => showBlocked(true));
    } else if (!untaken && !sound.paused) {
      sound.pause();
      sound.currentTime = 0;
    }
  }

  function showBlocked(blocked) {
    const bar = byId("sound-off");
    if (bar) bar.hidden = !blocked;
  }

  // Browsers keep a page silent until its reader has touched it. Said at once, not at the first fire.
  function askForSound() {
    const Context = window.AudioContext;
    if (!Context || !byId("alarm-sound")) return;
    const probe = new Context();
    showBlocked(probe.state === "suspended");
    probe.close();
  }

  function testSound() {
    const sound = byId("alarm-sound");
    if (!sound) return;
    showBlocked(false);
    if (sound.dataset.sounding === "yes") {
      soundAlarm();
      return;
    }
    sound.loop = false;
    sound.currentTime = 0;
    sound.play().catch(() => showBlocked(true));
  }

  function heard() {
    heardAt = Date.now();
    interruptedAt = 0;
    showConnection();
  }

  function interrupted() {
    interruptedAt = interruptedAt || Date.now();
  }

  // A refused stream does not say why it was refused. Whether the session has ended is asked for beside it.
  function streamFailed() {
    interrupted();
    if (ended) return;
    fetch("/siren", { headers: { "HX-Request": "true" } }).then((answer) => {
      if (answer.status !== 401) return;
      ended = true;
      showConnection();
    }, () => {});
  }

  // What an act came to is read once: a line that stays would speak of the wrong moment.
  function showNotice() {
    const notice = byId("notice");
    const shown = notice && notice.firstElementChild;
    if (!shown) return;
    const note = byId("note");
    if (note && shown.classList.contains("done")) note.value = "";
    window.setTimeout(() => shown.remove(), NOTICE_MS);
  }

  function swapped(swap) {
    if (swap.target.id === "notice") showNotice();
    readServerClock();
    tick();
    soundAlarm();
  }

  document.addEventListener("htmx:afterSwap", swapped);
  document.addEventListener("htmx:sseOpen", (open) => {
    heard();
    const source = open.detail.source;
    if (listened.has(source)) return; // a source opens again after each interruption
    listened.add(source);
    for (const name of ["ping", "hello"]) source.addEventListener(name, heard);
  });
  document.addEventListener("htmx:sseMessage", heard);
  document.addEventListener("htmx:sseError", streamFailed);
  document.addEventListener("htmx:sendError", interrupted);
  document.addEventListener("htmx:timeout", interrupted);
  document.addEventListener("htmx:afterRequest", (done) => {
    if (done.detail.successful) heard();
  });
  document.addEventListener("htmx:responseError", (failed) => {
    if (failed.detail.xhr.status === 401) ended = true;
    else interrupted();
    showConnection();
  });
  document.addEventListener("click", (click) => {
    if (click.target.closest("#sound-test, #sound-off")) testSound();
  });
  // Not at pointerdown: the bar would vanish between press and release, and the click miss what moved up.
  for (const gesture of ["click", "keydown"]) {
    document.addEventListener(gesture, () => {
      const bar = byId("sound-off");
      if (!bar || bar.hidden) return;
      showBlocked(false);
      soundAlarm();
    });
  }
  document.addEventListener("DOMContentLoaded", () => {
    readServerClock();
    tick();
    soundAlarm();
    askForSound();
    window.setInterval(tick, 1000);
  });
})();
