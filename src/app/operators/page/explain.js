// What would happen to a request of a client, and why.

import { get } from "./api.js";
import { inWords } from "./change.js";
import { duration, el, number } from "./dom.js";
import { question } from "./sender.js";

// What was asked last holds for the next client too.
const asked = { method: "GET", path: "/api/data" };

const VERDICTS = {
  admitted: ["would pass", "good"], unlimited: ["would pass, uncounted", "good"], allowed: ["would pass, uncounted", "good"],
  denied: ["would be denied", "bad"], banned: ["would be refused", "bad"], blocked: ["would be refused", "bad"],
  unknown: ["nobody knows", "warn"],
};

/** A form that explains a request of the client `key`, and its answer. */
export function explainer(key) {
  const answer = el("div", { class: "answer", "aria-live": "polite" });
  const method = el("input", { name: "method", value: asked.method, required: true, spellcheck: "false", size: 7 });
  const path = el("input", { name: "path", value: asked.path, required: true, spellcheck: "false", autocapitalize: "off" });
  const onsubmit = async (event) => {
    event.preventDefault();
    Object.assign(asked, { method: method.value.trim().toUpperCase(), path: path.value.trim() });
    try {
      const { asked: sent, notes } = question(key, asked.path);
      answer.replaceChildren(...view(await get("v1/explain", { method: asked.method, ...sent }), notes));
    } catch (error) {
      answer.replaceChildren(el("p", { class: "error" }, error.message));
    }
  };
  return el("section", { class: "explain", "aria-label": "Explain a request" },
    el("h4", {}, "What would happen to its request now?"),
    el("form", { class: "fields", autocomplete: "off", onsubmit },
      el("label", { class: "short" }, "Method", method), el("label", { class: "grow" }, "Path", path),
      el("button", { type: "submit" }, "Explain")),
    answer);
}

function view(told, notes) {
  const [words, kind] = VERDICTS[told.verdict] ?? [told.verdict, "warn"];
  const { route, request } = told;
  return [
    el("p", {}, el("span", { class: `chip ${kind}` }, words), " ", told.why),
    ...notes.map((note) => el("p", { class: "hint" }, note)),
    ...told.overrides.map((it) => el("p", { class: `notice ${it.effect === "ban" ? "bad" : "trial"}` }, `${it.key ?? it.policy} is ${inWords(it)}.`)),
    el("dl", { class: "reasons" },
      ...pair("Route", route ? `${route.pattern} (${route.place}), cost ${number(route.cost)} (${route.cost_place})` : "none"),
      ...(request.plan ? pair("Plan", `${request.plan} (${request.plan_from})`) : []),
      ...told.policies.flatMap((it) => pair(it.policy, policy(it))),
      ...told.unmet.flatMap((it) => pair(it.policy, `Not met. ${it.why}`))),
    el("p", { class: "hint" }, `By generation ${told.generation} of the configuration. Nothing was charged.${told.outdated ? ` Bans and boosts may be outdated: ${told.outdated}.` : ""}`),
  ];
}

const pair = (name, text) => [el("dt", {}, name), el("dd", {}, text)];

function policy(it) {
  const source = it.from === "policy" ? it.place : `of the ${it.from}, ${it.place}`;
  const parts = [`${it.quota} (${source}) for ${it.key}`];
  if (it.role === "unlimited") return `${parts[0]}. ${it.why}`;
  if (it.used == null) parts.push(`the store could not be asked: on_store_failure is ${it.on_store_failure}`);
  else parts.push(`${number(it.used)} used, ${number(it.remaining)} left`);
  if (it.kept_slots) parts.push(`${number(it.kept_slots)} more in reserve for other requests`);
  if (it.retry_after_ms) parts.push(`denied for ${duration(it.retry_after_ms)}`);
  if (it.lease_ms) parts.push(`leased for ${number(it.lease_ms)} ms at a time`);
  const sentences = [parts.join("; ")];
  if (it.why) sentences.push(it.why.replace(/\.$/, ""));
  if (it.charge_on) sentences.push(`It counts only if the status of its response is one of ${it.charge_on}`);
  if (it.refund_on) sentences.push(`It is given back if the status of its response is one of ${it.refund_on}`);
  return `${sentences.join(". ")}.`;
}
