// The operators' page: follows the process, and shows how it stands.

import { follow, forgetToken } from "./api.js";
import { find, startSearch } from "./client.js";
import { byId, duration, el, list, micros, number, say, setText, time } from "./dom.js";
import { showPolicies } from "./policies.js";
import { countOverrides, makeTables, showChanges, showFindings, showTables } from "./tables.js";

let shownAt = null;
let told = {};

makeTables();
startSearch();
byId("forget").addEventListener("click", forgetToken);
addEventListener("hashchange", findAsked);
findAsked();
document.title = `Tollgate at ${location.host}`;
follow(show, tell);
showChanges();

/** Shows the client that the address asks for, as in `#find?key=user:1042`. */
function findAsked() {
  const [part, query] = location.hash.split("?");
  const key = part === "#find" && new URLSearchParams(query).get("key");
  if (key) find(key, true);
}

/** Shows an overview. */
function show(overview) {
  shownAt = overview.now;
  setText(byId("version"), overview.version);
  showState(overview);
  showNotices(overview);
  showFigures(overview);
  showFindings(overview.findings);
  showPolicies(overview);
  showTables(overview);
  sayWhatChanged(overview);
  document.documentElement.dataset.shown = "yes";
}

/** Says whether overviews come: `problem` is why they do not. */
function tell(problem) {
  const live = byId("live");
  live.classList.toggle("error", problem !== null);
  if (problem === null) return setText(live, "live");
  const since = shownAt ? ` This is of ${time(shownAt)}.` : "";
  setText(live, "not live");
  list(byId("notices"), [{ kind: "bad", text: `${problem}${since} It is tried again.` }], () => "connection", notice);
  chip("No answer", "bad");
}

function showState({ readiness }) {
  const words = { ready: ["Ready", "good"], refusing: ["Refusing requests", "bad"], stopping: ["Stopping", "warn"] };
  chip(...(words[readiness.status] ?? [readiness.status, "warn"]));
}

function chip(text, kind) {
  setText(byId("ready"), text);
  byId("ready").className = `chip ${kind}`;
}

/** What an operator has to know before all else. */
function showNotices({ readiness, store, overrides, overrides_error: failed }) {
  const notices = [];
  const add = (name, kind, text) => notices.push({ name, kind, text });
  if (readiness.configuration) {
    const { generation, outdated_for_seconds: seconds, errors } = readiness.configuration;
    add("configuration", "warn", `For ${duration(seconds * 1000 || 1)}, the configuration file has been newer than generation ${generation}, which is in force. It was refused: ${errors.join(" ")}`);
  }
  if (!store.is_up) {
    add("store", "bad", `Redis has not answered for ${duration(store.down_for_ms || 1)} (${store.cause ?? "cause unknown"}). Policies decide as on_store_failure says.`);
  }
  for (const [policy, how] of Object.entries(readiness.new_keys ?? {})) {
    add(`keys ${policy}`, "warn", `The memory of this process is full: new clients of ${policy} are counted ${how === "together" ? "together" : "by their wider network"}.`);
  }
  const outdated = failed ?? overrides.outdated;
  if (outdated && store.is_up) add("overrides", "warn", `Bans and boosts may be outdated: ${outdated}.`);
  list(byId("notices"), notices, (it) => it.name, notice);
}

function notice() {
  const element = el("p");
  return {
    element,
    update(it) {
      element.className = `notice ${it.kind}`;
      setText(element, it.text);
    },
  };
}

function showFigures({ policies, store, generation, in_force_since: since, now, overrides }) {
  const redis = store.is_up ? "Redis answers" : "Redis is away";
  const outages = store.outages === 1 ? "1 outage so far" : `${store.outages} outages so far`;
  const waits = store.wait_p50_micros == null
    ? ["–", store.kind === "memory" ? "this process decides by itself" : "no decision waited in 5 minutes"]
    : [`within ${micros(store.wait_p50_micros)}`, `half of the decisions; 99 % within ${micros(store.wait_p99_micros)}`];
  const recent = policies.map((it) => [it.name, it.denied.slice(-5).reduce((sum, count) => sum + count)]).filter(([, count]) => count > 0);
  const denials = recent.reduce((sum, [, count]) => sum + count, 0);
  recent.sort(([, one], [, other]) => other - one);
  const figures = [
    ["Denials in 5 minutes", number(denials), denials ? `by ${recent.map(([name]) => name).slice(0, 3).join(", ")}` : "no request was denied", denials ? "denials" : ""],
    ["Store", store.kind === "memory" ? "In memory" : redis, store.kind === "memory" ? "counts in this process alone" : outages, store.is_up ? "" : "bad"],
    ["Wait for the store", ...waits, ""],
    ["Configuration", `Generation ${generation}`, `in force since ${time(since, now)}`, ""],
    ["Bans and boosts", countOverrides(overrides.overrides), "each ends by itself", ""],
  ];
  list(byId("figures"), figures, ([name]) => name, ([name]) => {
    const [value, note] = [el("dd", { class: "value" }), el("dd", { class: "quiet" })];
    return {
      element: el("div", { class: "figure" }, el("dt", {}, name), value, note),
      update([, text, about, kind]) {
        setText(value, text);
        setText(note, about);
        value.className = `value ${kind}`;
      },
    };
  });
}

/** Has a screen reader say what began or ended. Counts change each second, and are not said. */
function sayWhatChanged({ store, policies }) {
  const denying = policies.filter((it) => it.denied[59] > 0).map((it) => it.name);
  const is = { up: store.is_up, denying };
  const said = [];
  if (told.up !== undefined && told.up !== is.up) said.push(is.up ? "Redis answers again." : "Redis does not answer.");
  const began = told.denying && denying.filter((name) => !told.denying.includes(name));
  if (began?.length) said.push(`${began.join(", ")} denies requests.`);
  told = is;
  if (said.length) say(said.join(" "));
}
