// One client: where it stands, why, and what can be done for it or against it.

import { get } from "./api.js";
import { change, holdsNow, inWords } from "./change.js";
import { byId, duration, el, number } from "./dom.js";
import { explainer } from "./explain.js";

const KINDS = /^(ip|user|header|global)(:|$)/;
const ADDRESS = /^([0-9]{1,3}(\.[0-9]{1,3}){3}|[0-9a-f:.]*:[0-9a-f:.]*)(\/[0-9]+)?$/i;

let shown = null;

/** Has the form find clients. */
export function startSearch() {
  byId("find-form").addEventListener("submit", (event) => {
    event.preventDefault();
    find(byId("key").value);
  });
  document.addEventListener("changed", () => shown && find(shown));
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
    shown = key;
    replace(parent, view(client, key));
  } catch (error) {
    shown = null;
    parent.replaceChildren(el("p", { class: "error" }, error.message));
  }
  if (moves) {
    byId("find").scrollIntoView({ block: "start" });
    parent.focus({ preventScroll: true });
  }
}

/** Replaces the children of `parent`. Where one of them had the focus, the button of the same name has it then. */
function replace(parent, children) {
  const focused = parent.contains(document.activeElement) ? document.activeElement : null;
  parent.replaceChildren(...children);
  if (!focused) return;
  const same = [...parent.querySelectorAll("button")].find((it) => it.textContent === focused.textContent);
  (same ?? parent).focus();
}

function view(client, asked) {
  const { key, policies, overrides } = client;
  const button = (text, onclick) => el("button", { type: "button", onclick }, text);
  const held = (effect) => overrides.filter((it) => it.effect === effect);
  return [
    el("h3", { class: "key" }, key),
    ...overrides.map((it) => el("p", { class: `notice ${it.effect === "ban" ? "bad" : "trial"}` }, `This client is ${inWords(it)}.`)),
    policies.length > 0
      ? el("ul", { class: "standings" }, policies.map(standing))
      : el("p", { class: "empty" }, "No policy counts by this kind of key."),
    el("div", { class: "actions" },
      policies.length > 0 && button("Reset …", () => reset(client)),
      button("Ban …", () => ban(key)),
      ...held("ban").map((it) => button(`End the ban${it.policy ? ` under ${it.policy}` : ""} …`, () => end(it, "bans"))),
      policies.length > 0 && button("Boost …", () => boost(key)),
      ...held("boost").map((it) => button(`End the boost${it.policy ? ` under ${it.policy}` : ""} …`, () => end(it, "boosts")))),
    explainer(asked),
  ];
}

/** Where a client stands under one policy. */
function standing(it) {
  const name = el("b", {}, it.policy);
  if (it.error) {
    return el("li", {}, name, el("p", { class: "error" }, `The store could not be asked, so nobody knows: ${it.error}`));
  }
  const burst = it.used + it.remaining;
  const text = it.retry_after_ms
    ? `denied for ${duration(it.retry_after_ms)}`
    : it.used ? `${number(it.remaining)} left` : "not used";
  const whole = it.used ? ` · whole again in ${duration(it.reset_after_ms)}` : "";
  const from = it.from === "policy" ? "" : ` · this quota is of its ${it.from}`;
  const bar = el("div", { class: "bar", "aria-hidden": "true" }, el("span", { class: it.retry_after_ms ? "denied" : "allowed" }), el("span", { class: "rest" }));
  bar.firstChild.style.flexGrow = it.used;
  bar.lastChild.style.flexGrow = Math.max(burst - it.used, 0);
  return el("li", {},
    el("div", { class: "line" }, name, el("span", { class: "quiet" }, it.quota), el("span", { class: it.retry_after_ms ? "chip bad" : "chip good" }, text)),
    bar,
    el("p", { class: "quiet" }, `${number(it.used)} of ${number(burst)} used${whole}${from}`));
}

function reset({ key, policies }) {
  const used = policies.filter((it) => it.used !== 0).map((it) => `${it.used ?? "an unknown part"} of ${it.quota} under ${it.policy}`);
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
