// One client: where it stands, why, and what can be done for it or against it.

import { get } from "./api.js";
import { change, holdsNow, inWords } from "./change.js";
import { byId, duration, el, list, number, say } from "./dom.js";
import { explainer } from "./explain.js";

const KINDS = /^(ip|user|header|claim|cookie|query|host|segment|route|parts|descriptor|global)(:|,|$)/;
const ADDRESS = /^([0-9]{1,3}(\.[0-9]{1,3}){3}|[0-9a-f:.]*:[0-9a-f:.]*)(\/[0-9]+)?$/i;

/** How often it is asked where the client stands. */
const EVERY = 2000;

/** The key that was asked for, and the parts of the page that show its client. */
let shown = null;

/** Has the form find clients. */
export function startSearch() {
  byId("find-form").addEventListener("submit", (event) => {
    event.preventDefault();
    find(byId("key").value);
  });
  document.addEventListener("changed", refresh);
  setInterval(() => document.hidden || refresh(), EVERY);
}

/** The key that `text` stands for. */
function keyOf(text) {
  const key = text.trim();
  if (KINDS.test(key)) return key;
  return ADDRESS.test(key) ? `ip:${key}` : `user:${key}`;
}

/** Shows a client. With `moves` the focus goes to it. */
export async function find(text, moves = false) {
  const key = keyOf(text);
  const parent = byId("client");
  byId("key").value = key;
  try {
    const client = await get("v1/keys", { key });
    // Another search may be faster.
    if (byId("key").value !== key) return;
    const [facts, actions] = [el("div", { class: "stack" }), el("div", { class: "actions" })];
    shown = { key, facts, actions };
    parent.replaceChildren(el("h3", { class: "key" }, client.key), facts, actions, explainer(key));
    show(client);
    const denying = client.policies.filter((it) => it.banned_for_ms || it.retry_after_ms).map((it) => it.policy);
    say(`${client.key}: ${denying.length ? `denied by ${denying.join(", ")}` : "not denied"}.`);
  } catch (error) {
    shown = null;
    parent.replaceChildren(el("p", { class: "error", role: "alert" }, error.message));
  }
  if (moves) {
    byId("find").scrollIntoView({ block: "start" });
    parent.focus({ preventScroll: true });
  }
}

/** Asks again where the client stands that is shown. */
async function refresh() {
  const asked = shown;
  if (!asked) return;
  try {
    const client = await get("v1/keys", { key: asked.key });
    if (shown === asked) show(client);
  } catch (error) {
    if (shown === asked) asked.facts.replaceChildren(el("p", { class: "error" }, error.message));
  }
}

function show(client) {
  const { key, policies, overrides } = client;
  shown.facts.replaceChildren(
    ...overrides.map((it) => el("p", { class: `notice ${it.effect === "ban" ? "bad" : "trial"}` }, `This client is ${inWords(it)}.`)),
    policies.length > 0
      ? el("ul", { class: "standings" }, policies.map(standing))
      : el("p", { class: "empty" }, "No policy counts by this kind of key."));
  const under = (it) => (it.policy ? ` under ${it.policy}` : "");
  const ends = (effect, path) => overrides.filter((it) => it.effect === effect)
    .map((it) => ({ text: `End the ${effect}${under(it)} …`, act: () => end(it, path) }));
  const buttons = [
    policies.length > 0 && { text: "Reset …", act: () => reset(client) },
    { text: "Ban …", act: () => ban(key) },
    ...ends("ban", "bans"),
    policies.some((it) => it.banned_for_ms) && !overrides.some((it) => it.effect === "ban" && !it.policy)
      && { text: "End the ban by a penalty …", act: () => endPenalties(client) },
    policies.length > 0 && { text: "Boost …", act: () => boost(key) },
    ...ends("boost", "boosts"),
  ];
  list(shown.actions, buttons.filter(Boolean), ({ text }) => text, ({ text }) => {
    let act;
    const element = el("button", { type: "button", onclick: () => act() }, text);
    return { element, update: (it) => { act = it.act; } };
  });
}

/** Where a client stands under one policy. */
function standing(it) {
  const name = el("b", {}, it.policy);
  if (it.error) {
    return el("li", {}, name, el("p", { class: "error" }, `The store could not be asked, so nobody knows: ${it.error}`));
  }
  const burst = it.used + it.remaining;
  const isRefused = Boolean(it.banned_for_ms || it.retry_after_ms);
  const refused = it.banned_for_ms ? `banned by its penalty for ${duration(it.banned_for_ms)}` : `denied for ${duration(it.retry_after_ms)}`;
  const text = isRefused ? refused : it.used ? `${number(it.remaining)} left` : "not used";
  const whole = it.used ? ` · whole again in ${duration(it.reset_after_ms)}` : "";
  const from = it.from === "policy" ? "" : ` · this quota is of its ${it.from}`;
  const bar = el("div", { class: "bar", "aria-hidden": "true" }, el("span", { class: isRefused ? "denied" : "allowed" }), el("span", { class: "rest" }));
  bar.firstChild.style.flexGrow = it.used;
  bar.lastChild.style.flexGrow = Math.max(burst - it.used, 0);
  return el("li", {},
    el("div", { class: "line" }, name, el("span", { class: "quiet" }, it.quota), el("span", { class: isRefused ? "chip bad" : "chip good" }, text)),
    bar,
    el("p", { class: "quiet" }, `${number(it.used)} of ${number(burst)} used${whole}${from}`));
}

function reset({ key, policies }) {
  const used = policies.filter((it) => it.used !== 0 || it.banned_for_ms).map((it) => `${it.used ?? "an unknown part"} of ${it.quota} under ${it.policy}`);
  change({
    title: `Reset ${key}`, button: "Reset", path: "v1/keys/reset", body: { key },
    effect: () => used.length > 0
      ? `${key} has whole quotas again, at once. Forgotten is: ${used.join(", ")}.`
      : `${key} has used nothing, so this changes nothing.`,
  });
}

/** Opens the dialog of a ban. */
export function ban(key) {
  change({
    title: `Ban ${key}`, button: "Ban", path: "v1/bans", body: { key }, fields: ["for"], before: holdsNow(key),
    effect: ({ until }) => `${key} gets 403 for whatever it asks, in every process, until ${until}.`,
  });
}

function endPenalties({ key, policies }) {
  const names = policies.filter((it) => it.banned_for_ms).map((it) => it.policy).join(" and ");
  change({
    title: `End the ban of ${key}`, button: "End the ban", path: "v1/bans/end", body: { key },
    effect: () => `The penalty of ${names} bans ${key} no longer, and forgets its bans before. What it used stays used.`,
  });
}

function boost(key) {
  change({
    title: `Boost ${key}`, button: "Boost", path: "v1/boosts", body: { key }, fields: ["quota", "for"], before: holdsNow(key),
    effect: ({ quota, until }) => `${key} has a quota of ${quota} under every policy that counts it, until ${until}. What it used stays used.`,
  });
}

/** Opens the dialog that ends an override. */
export function end(it, path) {
  const [word, then] = { bans: ["ban", "is let in again, within its quotas"], boosts: ["boost", "has the quotas of its policies again"] }[path];
  const body = it.policy ? { key: it.key, policy: it.policy } : { key: it.key };
  change({
    title: `End the ${word} of ${it.key}`, button: `End the ${word}`, path: `v1/${path}/end`, body,
    before: `Now: ${inWords(it)}.`,
    effect: () => `${it.key} ${then}, at once.`,
  });
}
