// The parts of a page that must move by themselves: clocks, the alarm sound, the title, and the warning
// that what is on the screen may be old. Everything else is fetched and swapped by htmx.
(function () {
  "use strict";

  const STALE_AFTER_MS = 3000; // an interruption this long is said; shorter ones heal unseen
  const SILENT_AFTER_MS = 40000; // the server pings every 15 s

  const NOTICE_MS = 15000;
  const ASK_AFTER_MS = 20000; // without a word from the stream for so long, a page asks
  const ASK_EVERY_MS = 10000;
  const ASK_APART_MS = 1000;
  const NEWS_KEPT = 100; // of the board: what came while it was being fetched

  let aheadMs = 0; // the server's clock minus ours
  let interruptedAt = 0;
  let heardAt = Date.now();
  let ended = false;
  let boardNews = [];
  let askedAt = 0;
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

  // "EPOCH-NUMBER", as console/board_drawn.py.
  function versionOf(text) {
    const [epoch, number] = text.split("-");
    return { epoch: epoch, number: Number(number) };
  }

  function hearBoard(message) {
    const news = JSON.parse(message.data);
    boardNews.push(news);
    if (boardNews.length > NEWS_KEPT) boardNews = boardNews.slice(-NEWS_KEPT);
    showNews(news);
  }

  // A board that was fetched may be older than what came by the stream meanwhile.
  function catchUp() {
    const board = byId("board-shown");
    if (!board) return;
    const epoch = versionOf(board.dataset.version).epoch;
    boardNews.filter((news) => versionOf(news.version).epoch === epoch).forEach(showNews);
  }

  function showNews(news) {
    const board = byId("board-shown");
    if (!board) return;
    const shown = versionOf(board.dataset.version);
    const coming = versionOf(news.version);
    if (coming.epoch === shown.epoch && coming.number <= shown.number) return;
    if (coming.epoch !== shown.epoch && !news.whole) return askAnew();
    const focused = document.activeElement && document.activeElement.id;
    if (news.head !== undefined) byId("board-head").innerHTML = news.head;
    if (news.tail !== undefined) byId("board-tail").innerHTML = news.tail;
    showLines(byId("board-lines"), news.lines || {}, news.order);
    board.dataset.version = news.version;
    if (focused && document.activeElement.id !== focused && byId(focused)) byId(focused).focus();
    tick();
  }

  // What came is of a board that this page has not got.
  function askAnew() {
    if (Date.now() - askedAt < ASK_APART_MS) return;
    askedAt = Date.now();
    window.htmx.trigger(byId("board"), "stale");
  }

  // Only lines that are another are touched: what a reader points at stays where it is.
  function showLines(list, lines, order) {
    for (const id of Object.keys(lines)) {
      const made = document.createElement("template");
      made.innerHTML = lines[id];
      const line = made.content.firstElementChild;
      const old = byId("incident-" + id);
      if (old) old.replaceWith(line);
      else list.append(line);
      window.htmx.process(line);
    }
    if (!order) return;
    const wanted = new Set(order.map((id) => "incident-" + id));
    for (const line of Array.from(list.children)) if (!wanted.has(line.id)) line.remove();
    order.forEach((id, n) => {
      const line = byId("incident-" + id);
      if (line && list.children[n] !== line) list.insertBefore(line, list.children[n] || null);
    });
  }

  function hearSiren(message) {
    byId("siren").innerHTML = message.data;
    readServerClock();
    soundAlarm();
  }

  // What the stream brings is fetched as well while it brings nothing.
  function askWhileSilent() {
    if (ended || !byId("live") || Date.now() - heardAt < ASK_AFTER_MS) return;
    for (const id of ["siren", "board"]) if (byId(id)) window.htmx.trigger(byId(id), "stale");
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
    catchUp();
    tick();
    soundAlarm();
  }

  // Lines of the board are drawn for all who see them: the session's token is not in their forms.
  function addToken(request) {
    const token = document.querySelector('meta[name="csrf-token"]');
    if (token) request.detail.headers["X-CSRF-Token"] = token.content;
  }

  document.addEventListener("htmx:configRequest", addToken);
  document.addEventListener("htmx:afterSwap", swapped);
  document.addEventListener("htmx:sseOpen", (open) => {
    heard();
    const source = open.detail.source;
    if (listened.has(source)) return; // a source opens again after each interruption
    listened.add(source);
    for (const name of ["ping", "hello", "change", "board"]) source.addEventListener(name, heard);
    source.addEventListener("board", hearBoard);
    source.addEventListener("siren", hearSiren);
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
    window.setInterval(askWhileSilent, ASK_EVERY_MS);
  });
})();
