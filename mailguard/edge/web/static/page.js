// What the page can do beyond forms and links: clocks that tick, changes that show by themselves, an action
// without a jump, and the keyboard. Everything here works without it, too.

const root = document.documentElement;
const main = () => document.getElementById("main");
root.classList.add("scripted");

// --- time: the server's, whatever the clock of this machine says -----------------------------------------

let ahead = 0;

function setTime(serverMs, atMs) {
  ahead = serverMs - atMs;
}

const now = () => performance.now() + ahead;

{
  const [navigation] = performance.getEntriesByType("navigation");
  setTime(Number(root.dataset.now), navigation ? navigation.responseStart : performance.now());
}

function clock(seconds) {
  const two = (number) => String(number).padStart(2, "0");
  if (seconds >= 86400) return `${Math.floor(seconds / 86400)} d ${Math.floor((seconds % 86400) / 3600)} h`;
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60];
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

function tick() {
  for (const place of document.querySelectorAll("[data-until]")) {
    const left = Math.max(0, Math.ceil((Date.parse(place.dataset.until) - now()) / 1000));
    const count = place.querySelector(".count");
    if (!count) continue;
    const text = left > 0 ? clock(left) : place.dataset.over;
    if (count.textContent !== text) count.textContent = text;
    place.classList.toggle("soon", left <= 60);
    if (left === 0 && !place.dataset.told) {
      place.dataset.told = "1";
      count.className = "words";
      refreshSoon(1500);
    }
    const runs = place.closest("[data-card]")?.querySelector(".runs");
    if (runs) runs.value = left;
  }
}

// Times are written by the guard's clock; here they are this reader's.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

function localTimes() {
  const short = new Intl.DateTimeFormat(root.lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const long = new Intl.DateTimeFormat(root.lang, { dateStyle: "full", timeStyle: "long" });
  const today = new Date(now()).toDateString();
  for (const one of document.querySelectorAll("time[datetime]:not([data-local])")) {
    one.dataset.local = "1";
    const at = new Date(one.dateTime);
    one.title = long.format(at);
    // The words stay the server's; only a bare time of today is exchanged for this reader's.
    if (at.toDateString() === today) one.textContent = one.textContent.replace(/\b\d{2}:\d{2}$/, short.format(at));
  }
  for (const one of document.querySelectorAll("[data-zone]")) one.hidden = true;
}

// --- the page is fetched again, and its middle exchanged ---------------------------------------------------

let asked = 0;
let shown = 0;
let planned = 0;
let last = 0;

function busy() {
  const open = main().querySelector("details[open]");
  const field = document.activeElement?.matches?.("#main input:not([type=checkbox]), #main textarea, #main select");
  return open || field || main().querySelector("input[name=id]:checked");
}

function put(html, url) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  const next = fresh.getElementById("main");
  if (!next) {
    location.assign(url);
    return;
  }
  const kept = mark();
  main().replaceChildren(...next.childNodes);
  document.title = fresh.title;
  const nav = fresh.querySelector(".nav");
  if (nav) document.querySelector(".nav")?.replaceWith(nav);
  unmark(kept);
  localTimes();
  tick();
}

// Where the reader was: which message, and which button of it.
function mark() {
  const at = document.activeElement;
  const card = at?.closest?.("[data-card]");
  return {
    id: card?.dataset.id,
    chosen: document.querySelector(".chosen")?.dataset.id,
    action: at?.closest?.("form")?.getAttribute("action"),
    onCard: at === card,
    y: scrollY,
  };
}

function unmark(kept) {
  if (kept.chosen) card(kept.chosen)?.classList.add("chosen");
  const target = kept.id && card(kept.id);
  if (target) (kept.onCard ? target : target.querySelector(`form[action="${CSS.escape(kept.action ?? "")}"] button`))?.focus({ preventScroll: true });
  scrollTo({ top: kept.y, behavior: "instant" });
}

const card = (id) => document.querySelector(`[data-card][data-id="${CSS.escape(id)}"]`);

async function refresh() {
  planned = 0;
  if (document.hidden) return;
  if (busy()) {
    refreshSoon(2000);
    return;
  }
  last = performance.now();
  const mine = ++asked;
  try {
    const url = new URL(location.href);
    for (const name of ["did", "id", "told", "done"]) url.searchParams.delete(name);
    const answer = await fetch(url, { headers: { "X-Requested-With": "page" } });
    const arrived = performance.now();
    const html = await answer.text();
    // A press that came meanwhile has shown something newer.
    if (mine < shown || mine !== asked || busy()) return;
    if (answer.redirected || !answer.ok) {
      location.reload();
      return;
    }
    shown = mine;
    const said = document.querySelector("[data-told]");
    const held = said?.contains(document.activeElement) ? document.activeElement : null;
    setTime(Number(/data-now="(\d+)"/.exec(html)?.[1] ?? now()), arrived);
    put(html, location.href);
    if (said && !document.querySelector("[data-told]")) keepTold(said);
    held?.focus({ preventScroll: true });
  } catch {
    lamp(false);
    refreshSoon(5000);
  }
}

// The undo stays where it is while the list below it changes.
function keepTold(said) {
  said.classList.remove("fresh");
  const head = main().querySelector(".head, .said");
  if (head) head.after(said);
}

function refreshSoon(ms) {
  // However often something changes, the guard is asked once in two seconds.
  const wait = Math.max(ms, last + 2000 - performance.now());
  if (!planned) planned = setTimeout(refresh, wait);
}

// --- an action without a jump ------------------------------------------------------------------------------

// Whoever presses twice in a hurry means the button that was there, not the one that has come in its place.
const HASTE = 700;
let exchanged = -HASTE;

addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("form[data-swap]")) return;
  event.preventDefault();
  if (performance.now() - exchanged < HASTE || form.classList.contains("busy")) return;
  const button = event.submitter;
  const data = new URLSearchParams(new FormData(form, button));
  if (data.has("until")) data.set("zone", zone);
  form.classList.add("busy");
  const mine = ++asked;
  try {
    const answer = await fetch(form.action, { method: "POST", body: data });
    const arrived = performance.now();
    const html = await answer.text();
    if (!answer.ok) {
      // Not a word of ours: what is true stands on the page itself.
      location.reload();
      return;
    }
    shown = Math.max(shown, mine);
    history.replaceState(null, "", answer.url);
    setTime(Number(/data-now="(\d+)"/.exec(html)?.[1] ?? now()), arrived);
    for (const menu of document.querySelectorAll("details[open]")) menu.open = false;
    put(html, answer.url);
    exchanged = performance.now();
    const told = document.querySelector("[data-told]");
    // The next press is most likely the undo; a reader of the screen hears what was done (role=status).
    told?.querySelector("button, a.button")?.focus({ preventScroll: true });
    // Who asked for the draft and has no folder for it wants the file; without scripts the link is there.
    if (new URL(answer.url).searchParams.get("did") === "edit") told?.querySelector("[data-draft]")?.click();
    told?.scrollIntoView({ block: "nearest" });
  } catch {
    // No answer: the form itself is sent, and the browser tells what is wrong.
    form.classList.remove("busy");
    form.removeAttribute("data-swap");
    form.requestSubmit(button);
  }
});

addEventListener("change", (event) => {
  if (event.target.matches("[data-all]")) {
    for (const box of document.querySelectorAll("input[name=id]")) box.checked = event.target.checked;
  }
});

// One menu at a time, and none when the reader goes elsewhere.
addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  if (event.target.closest("[data-help]")) document.querySelector("[data-keys]").showModal();
});

// --- the keyboard --------------------------------------------------------------------------------------------

function choose(step) {
  const cards = [...document.querySelectorAll("[data-card]")];
  if (!cards.length) return;
  const at = cards.findIndex((one) => one.classList.contains("chosen"));
  const next = cards[Math.min(cards.length - 1, Math.max(0, at < 0 ? 0 : at + step))];
  cards[at]?.classList.remove("chosen");
  next.classList.add("chosen");
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

const chosen = () => document.querySelector("[data-card].chosen") ?? document.querySelector("[data-card]");

const keys = {
  j: () => choose(1),
  k: () => choose(-1),
  s: () => chosen()?.querySelector("[data-key=s]")?.click(),
  u: () => document.querySelector("[data-told] [data-key=u]")?.click(),
  o: () => chosen()?.querySelector("a[href^='/messages/']")?.click(),
  "?": () => document.querySelector("[data-keys]")?.showModal(),
};

addEventListener("keydown", (event) => {
  if (event.key === "Escape") for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
  const writing = event.target.matches?.("input:not([type=checkbox]), textarea, select");
  if (writing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  // A key that is held down must not stop one message after the other.
  if (event.repeat && event.key !== "j" && event.key !== "k") return;
  const act = keys[event.key];
  if (act) {
    event.preventDefault();
    act();
  }
});

// --- live ------------------------------------------------------------------------------------------------------

let source = null;

function lamp(on) {
  const lamp = document.querySelector("[data-lamp]");
  if (!lamp) return;
  lamp.dataset.live = on ? "on" : "off";
  lamp.firstElementChild.textContent = on ? lamp.dataset.on : lamp.dataset.off;
}

function listen() {
  const where = document.body.dataset.live;
  if (!where || source || document.hidden) return;
  source = new EventSource(where);
  source.addEventListener("open", () => lamp(true));
  source.addEventListener("changed", () => refreshSoon(150));
  source.addEventListener("error", () => {
    lamp(false);
    if (source?.readyState === EventSource.CLOSED) {
      hush();
      setTimeout(listen, 5000);
    }
  });
}

function hush() {
  source?.close();
  source = null;
}

// A page that nobody sees asks for nothing; one that is seen again may be old.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) hush();
  else {
    listen();
    refreshSoon(0);
  }
});
addEventListener("pageshow", (event) => event.persisted && (listen(), refreshSoon(0)));
addEventListener("pagehide", hush);

localTimes();
tick();
setInterval(tick, 250);
setInterval(() => refreshSoon(0), 60000);
listen();
