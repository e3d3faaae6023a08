// The keys of the console, and the question before what ends something. Focus itself moves: whoever listens to a
// screen reader hears what is marked. No key is heard while somebody types, or together with Ctrl, Alt or Meta.
(function () {
  "use strict";

  const CHORD_MS = 1500; // between `g` and the key behind it (chosen)
  const SETTLE_MS = 50; // htmx takes 20 ms to make a new button its own
  const BOARD = "gengfu.board"; // where this tab's filter is kept, for the way back to the board

  let chordAt = -Infinity;
  let marked = -1; // which line of the board has the mark, and its id
  let markedId = "";
  let isOn = false; // whether the reader is on the board, though their line may just have been taken away
  let asking = null; // what is asked about: the button's id and what its form had seen
  let sure = null; // the button whose question was answered with yes

  const byId = (id) => document.getElementById(id);
  const lines = () => [...document.querySelectorAll("#board ol.board > li")];
  const linkOf = (line) => line.querySelector("a.place");
  const current = () => lines().findIndex((line) => line.contains(document.activeElement));

  function isTyping(target) {
    return target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]") !== null;
  }

  function press(id) {
    const at = byId(id);
    if (!at || at.disabled || at.hidden) return false;
    at.click();
    return true;
  }

  function mark(index) {
    const all = lines();
    if (!all.length) return;
    marked = Math.max(0, Math.min(index, all.length - 1));
    linkOf(all[marked]).focus();
    all[marked].scrollIntoView({ block: "nearest" });
  }

  function move(step) {
    const at = current();
    mark(at < 0 ? (marked < 0 ? 0 : marked) : at + step);
  }

  // Takes the marked line; where none is marked, marks the first: nobody takes what they have not looked at.
  function take() {
    const at = current();
    if (at < 0) move(1);
    else {
      const button = lines()[at].querySelector("button.first[id^=take-]");
      if (button) button.click();
    }
  }

  function boardAddress() {
    return "/" + (window.sessionStorage.getItem(BOARD) || "");
  }

  const PLACES = { b: boardAddress, p: () => "/places", w: () => "/wall" };

  function chord(key) {
    chordAt = -Infinity;
    if (key === "f") return press("siren-open");
    if (!(key in PLACES)) return false;
    window.location.assign(PLACES[key]());
    return true;
  }

  function back() {
    const way = byId("back") || byId("leave-wall") || document.querySelector("nav.way a:last-of-type");
    if (!way) return false;
    way.click();
    return true;
  }

  function onBoard(key, down) {
    if (key === "j" || key === "ArrowDown") move(1);
    else if (key === "k" || key === "ArrowUp") move(-1);
    else if (key === "t") take();
    else if (key === "/") byId("filters").querySelector("select").focus();
    else return false;
    down.preventDefault();
    return true;
  }

  function onIncident(key) {
    const field = { m: "note", s: "disposition" }[key];
    if (field && byId(field)) {
      byId(field).focus();
      return true;
    }
    const button = document.querySelector('#act-buttons button[aria-keyshortcuts="' + window.CSS.escape(key) + '"]');
    return button ? press(button.id) : false;
  }

  function keyDown(down) {
    if (down.ctrlKey || down.altKey || down.metaKey || down.isComposing || down.defaultPrevented) return;
    const key = down.key;
    if (document.querySelector("dialog[open]")) return; // a dialog has its own: Enter and Esc
    if (isTyping(down.target)) {
      const filters = down.target.closest("#filters");
      if (key === "Escape") down.target.blur();
      else if (key === "Enter" && filters) filters.requestSubmit();
      return;
    }
    if (key.length > 1 && !["Escape", "ArrowDown", "ArrowUp"].includes(key)) return;
    if (down.repeat && !["j", "k", "ArrowDown", "ArrowUp"].includes(key)) return; // a key held down acts once
    if (down.timeStamp - chordAt < CHORD_MS && chord(key)) down.preventDefault();
    else if (key === "g") chordAt = down.timeStamp;
    else if (key === "?") byId("keys") && byId("keys").showModal();
    else if (key === "Escape") back();
    else if (byId("board")) onBoard(key, down);
    else if (byId("acts") && onIncident(key)) down.preventDefault();
  }

  // The question before an act. Not the browser's own: while that is open no script runs, and a fire that comes
  // in meanwhile would neither be seen nor heard.
  function ask(confirm) {
    const question = confirm.detail.question;
    if (!question) return;
    confirm.preventDefault();
    if (confirm.detail.elt === sure) {
      confirm.detail.issueRequest(true);
      return;
    }
    const seen = byId("seen-change");
    asking = { id: confirm.detail.elt.id, seen: seen && seen.value, issue: confirm.detail.issueRequest, elt: confirm.detail.elt };
    byId("ask-what").textContent = question;
    byId("ask").showModal();
    byId("ask-yes").focus();
  }

  // For a moment after its page was drawn a button is not yet htmx's, and the browser would hand its form in
  // without the question. It is pressed again when it is.
  function isEarly(submit) {
    const button = submit.submitter;
    if (!window.htmx || !button || !button.hasAttribute("hx-confirm")) return false;
    submit.preventDefault();
    window.setTimeout(() => press(button.id), SETTLE_MS);
    return true;
  }

  // What came in while the question stood may have drawn the button anew, or taken it away.
  function answerYes() {
    const asked = asking;
    asking = null;
    byId("ask").close();
    if (!asked) return;
    const seen = byId("seen-change");
    if (seen && asked.seen) seen.value = asked.seen; // as it was when the question was put
    const now = asked.elt.isConnected ? asked.elt : byId(asked.id);
    if (!now) say(byId("ask").dataset.gone);
    else if (now === asked.elt) asked.issue(true);
    else {
      sure = now;
      now.click();
      sure = null;
    }
  }

  function say(words) {
    const line = document.createElement("p");
    line.className = "refused";
    line.textContent = words;
    byId("notice").replaceChildren(line);
  }

  // The mark stays on its line; where that is gone, it goes to the one that took its place.
  function keepMark() {
    if (!isOn || document.activeElement !== document.body) return;
    const same = lines().findIndex((line) => line.id === markedId);
    mark(same < 0 ? marked : same);
  }

  function swapped(swap) {
    if (swap.target.id === "notice" && document.querySelector("#notice .needs_note") && byId("note")) byId("note").focus();
  }

  function remember() {
    if (byId("board")) window.sessionStorage.setItem(BOARD, window.location.search);
    const way = byId("back");
    if (way && way.getAttribute("href") === "/") way.href = boardAddress();
    const board = byId("board");
    if (board) new MutationObserver(keepMark).observe(board, { childList: true, subtree: true });
    const sound = byId("alarm-sound");
    if (sound) sound.volume = Number(document.documentElement.dataset.volume) / 100;
  }

  document.addEventListener("keydown", keyDown);
  document.addEventListener("focusin", () => {
    const at = current();
    isOn = at >= 0;
    if (!isOn) return;
    marked = at;
    markedId = lines()[at].id;
  });
  document.addEventListener("mousedown", () => {
    isOn = false;
  });
  document.addEventListener("htmx:confirm", ask);
  document.addEventListener("htmx:afterSwap", swapped);
  document.addEventListener("submit", (submit) => {
    if (isEarly(submit)) return;
    if (submit.target.id !== "filters") return;
    for (const field of submit.target.elements) field.disabled = field.value === ""; // a short address
  });
  document.addEventListener("click", (click) => {
    if (click.target.closest("#ask-yes")) answerYes();
    else if (click.target.closest("#ask-no")) byId("ask").close();
  });
  document.addEventListener("DOMContentLoaded", remember);
  window.addEventListener("pageshow", () => {
    for (const field of document.querySelectorAll("#filters :disabled")) field.disabled = false;
  });
})();
