// The policies in force: what each decided over the last hour, and what was tried out beside it.

import { change } from "./change.js";
import { byId, counted, duration, el, list, number, setText, svg, time } from "./dom.js";

const [WIDTH, HEIGHT] = [600, 96];

/** Shows the policies of an overview. */
export function showPolicies(overview) {
  const { policies } = overview;
  byId("no-policies").hidden = policies.length > 0;
  setText(byId("no-policies"), "The configuration has no policy, so every request is admitted.");
  latest = overview;
  // Those that decide come first.
  const [busy, idle] = [policies.filter((it) => !isQuiet(it)), policies.filter(isQuiet)];
  list(byId("policy-list"), [...busy, ...idle], (it) => it.name, card);
}

const isQuiet = ({ hour }) => hour.admitted + hour.denied + hour.denied_by_another + hour.banned + hour.undecided === 0;

/** The overview that is shown. */
let latest;

/** The card of a policy. */
function card() {
  const parts = {
    name: el("h3"),
    mode: el("span", { class: "chip" }),
    quota: el("span", { class: "quota" }),
    detail: el("span", { class: "quiet" }),
    toggle: el("button", { type: "button", class: "small" }),
    admitted: el("b", { class: "number" }),
    denied: el("b", { class: "number" }),
    others: el("p", { class: "quiet" }),
    empty: el("p", { class: "empty" }),
    chart: chart(),
    trials: el("div", { class: "trials" }),
  };
  const figures = el("p", { class: "totals" },
    el("span", { class: "total" }, el("span", { class: "swatch allowed", "aria-hidden": "true" }), parts.admitted, " allowed"),
    el("span", { class: "total" }, el("span", { class: "swatch denied", "aria-hidden": "true" }), parts.denied, " denied"));
  const element = el("article", { class: "card policy" },
    el("header", {}, el("div", { class: "title" }, parts.name, parts.mode), parts.toggle),
    el("p", {}, parts.quota, " ", parts.detail),
    figures, parts.others, parts.empty, parts.chart.element, parts.trials);
  let policy;
  parts.toggle.addEventListener("click", () => switchOnOrOff(policy));
  return {
    element,
    update(it) {
      policy = it;
      fillCard(parts, figures, it);
    },
  };
}

function fillCard(parts, figures, it) {
  const id = `policy-${it.name}`;
  const off = switchedOff(it.name);
  const [word, kind] = modeOf(it, off);
  parts.name.id = id;
  parts.name.closest("article").setAttribute("aria-labelledby", id);
  setText(parts.name, it.name);
  setText(parts.mode, word);
  parts.mode.className = `chip ${kind}`;
  setText(parts.quota, it.quota);
  setText(parts.detail, details(it));
  setText(parts.toggle, off ? "Switch on …" : "Switch off …");
  parts.toggle.setAttribute("aria-label", `Switch ${off ? "on" : "off"} the policy ${it.name}`);
  parts.toggle.hidden = it.mode === "off";
  const { hour } = it;
  const quiet = isQuiet(it);
  figures.hidden = quiet;
  setText(parts.admitted, number(hour.admitted));
  setText(parts.denied, number(hour.denied));
  setText(parts.others, others(hour));
  parts.others.hidden = !parts.others.textContent;
  setText(parts.empty, quiet ? whyEmpty(it) : "");
  parts.empty.hidden = !quiet;
  parts.chart.element.hidden = quiet;
  if (!quiet) parts.chart.update(it);
  showTrials(parts.trials, it);
}

const switchedOff = (name) =>
  latest.overrides.overrides.find((it) => it.effect === "off" && it.policy === name);

function modeOf(it, off) {
  if (off) return [`switched off for ${duration(off.ends_after_ms)}`, "warn"];
  if (it.mode === "off") return ["off in the configuration", ""];
  if (it.mode === "shadow") return ["in shadow", "trial"];
  return it.share ? [`in force for ${it.share}`, "trial"] : ["in force", "good"];
}

function details(it) {
  const parts = [`per ${it.key}`, it.algorithm];
  if (it.candidate) parts.push(`candidate ${it.candidate}`);
  if (it.plans) parts.push(counted(it.plans, "plan"));
  if (it.users) parts.push(`${counted(it.users, "user")} of its own quota`);
  if (it.networks) parts.push(counted(it.networks, "network"));
  return parts.join(" · ");
}

function others(hour) {
  const parts = [];
  if (hour.denied_by_another) parts.push(`${number(hour.denied_by_another)} denied by another policy`);
  if (hour.banned) parts.push(`${number(hour.banned)} of clients that its penalty bans`);
  if (hour.undecided) parts.push(`${number(hour.undecided)} undecided, because the store did not answer`);
  if (hour.near_limit) parts.push(`${number(hour.near_limit)} left less than a tenth of the quota`);
  if (hour.no_key) parts.push(`${number(hour.no_key)} had nothing to count by`);
  return parts.join(" · ");
}

/** Why there is nothing to show of a policy. */
function whyEmpty(it) {
  if (it.mode === "off") return "The configuration switches it off, so it decides nothing.";
  if (switchedOff(it.name)) return "It is switched off, so it decides nothing.";
  if (it.mode === "shadow" && it.is_met) return "It is in shadow, so it allows and denies nothing. What it would do stands below.";
  if (it.hour.shadow_agrees + it.hour.shadow_would_deny > 0) return `It is in force for ${it.share} of its clients, and none of them came in the last hour. For the others see below.`;
  if (!it.is_met) return `No request met this policy since ${time(latest.in_force_since, latest.now)}, when this configuration was taken.`;
  return "No request met this policy in the last hour.";
}

/** What was tried out beside a policy. */
function showTrials(parent, it) {
  const { hour } = it;
  const trials = [];
  if (it.mode === "shadow" || it.share) {
    const where = it.share ? "For the other clients, in shadow" : "In shadow";
    trials.push({ name: "shadow", title: where, parts: [["would deny", hour.shadow_would_deny, "denied"], ["agrees", hour.shadow_agrees, "agrees"]] });
  }
  if (it.candidate) {
    trials.push({
      name: "candidate", title: `With ${it.candidate} instead`,
      parts: [["would deny", hour.candidate_would_deny, "denied"], ["would admit", hour.candidate_would_admit, "allowed"], ["agrees", hour.candidate_agrees, "agrees"]],
    });
  }
  parent.hidden = trials.length === 0;
  list(parent, trials, (trial) => trial.name, trialView);
}

function trialView() {
  const [title, bar, text] = [el("h4"), el("div", { class: "bar", "aria-hidden": "true" }), el("p")];
  return {
    element: el("div", { class: "trial" }, title, bar, text),
    update(trial) {
      const all = trial.parts.reduce((sum, [, count]) => sum + count, 0);
      setText(title, trial.title);
      bar.hidden = all === 0;
      list(bar, trial.parts, ([name]) => name, () => {
        const element = el("span");
        return { element, update: ([, count, kind]) => { element.className = kind; element.style.flexGrow = count; element.hidden = !count; } };
      });
      setText(text, all === 0
        ? "No request was tried out in the last hour."
        : trial.parts.map(([name, count]) => `${name} ${number(count)}${count ? ` (${percent(count, all)})` : ""}`).join(" · "));
    },
  };
}

const percent = (part, whole) => {
  const share = (part * 100) / whole;
  return share < 1 ? "under 1 %" : `${Math.floor(share)} %`;
};

/** A chart of each minute of the last hour, and the same as a table. */
function chart() {
  const [allowed, denied] = [svg("path", { class: "allowed" }), svg("path", { class: "denied" })];
  const marker = svg("rect", { class: "marker", width: WIDTH / 60, height: HEIGHT, y: 0, visibility: "hidden" });
  const drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" },
    svg("path", { class: "grid", d: `M0 .5H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}M0 ${HEIGHT - 0.5}H${WIDTH}` }), allowed, denied, marker);
  const [most, half, from, middle] = [el("span"), el("span"), el("span"), el("span")];
  const readout = el("p", { class: "readout quiet", "aria-hidden": "true" });
  const rows = el("tbody");
  const table = el("details", { class: "numbers" }, el("summary", {}, "The same as a table"),
    el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Minutes of the last hour" }, el("table", {},
      el("thead", {}, el("tr", {}, ...["Minute", "Allowed", "Denied"].map((name) => el("th", { scope: "col" }, name)))), rows)));
  let policy;
  let pointed = null;
  const point = (event) => {
    const box = drawing.getBoundingClientRect();
    pointed = Math.min(59, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * 60)));
    readOut();
  };
  drawing.addEventListener("pointermove", point);
  drawing.addEventListener("pointerdown", point);
  drawing.addEventListener("pointerleave", () => { pointed = null; readOut(); });
  const minute = (index) => time(latest.first_minute + index * 60_000, latest.now);
  const readOut = () => {
    marker.setAttribute("visibility", pointed === null ? "hidden" : "visible");
    if (pointed === null) return setText(readout, `The busiest minute has ${counted(mostOf(policy), "request")}.`);
    marker.setAttribute("x", (pointed * WIDTH) / 60);
    setText(readout, `${minute(pointed)}: ${number(policy.admitted[pointed])} allowed, ${number(policy.denied[pointed])} denied`);
  };
  table.addEventListener("toggle", () => fillTable());
  const fillTable = () => {
    if (!table.open) return;
    // A minute without a request is left out: most of an hour often is.
    const minutes = policy.admitted.map((admitted, index) => ({ name: minute(index), admitted, denied: policy.denied[index] }));
    list(rows, minutes.filter((it) => it.admitted + it.denied > 0).reverse(), (it) => it.name, () => {
      const cells = [el("th", { scope: "row" }), el("td"), el("td")];
      return {
        element: el("tr", {}, cells),
        update(it) {
          [it.name, number(it.admitted), number(it.denied)].forEach((text, index) => setText(cells[index], text));
        },
      };
    });
  };
  return {
    element: el("div", { class: "chart" },
      el("div", { class: "plot" }, el("div", { class: "axis high", "aria-hidden": "true" }, most, half), drawing),
      el("div", { class: "axis minutes", "aria-hidden": "true" }, from, middle, el("span", {}, "now")), readout, table),
    update(it) {
      policy = it;
      // An even number has a half.
      const top = Math.max(2 * Math.ceil(mostOf(it) / 2), 2);
      const bars = (counts, below) => counts.map((count, index) => bar(index, below?.[index] ?? 0, count, top)).join("");
      allowed.setAttribute("d", bars(it.admitted));
      denied.setAttribute("d", bars(it.denied, it.admitted));
      drawing.setAttribute("aria-label", `${it.name} in the last hour: ${number(it.hour.admitted)} allowed, ${number(it.hour.denied)} denied. A table follows.`);
      setText(most, number(top));
      setText(half, number(top / 2));
      setText(from, minute(0));
      setText(middle, minute(30));
      readOut();
      fillTable();
    },
  };
}

const mostOf = (it) => Math.max(...it.admitted.map((count, index) => count + it.denied[index]));

/** The outline of one bar. One that stands for something can be seen. */
function bar(index, below, count, top) {
  if (count === 0) return "";
  const [width, scale] = [WIDTH / 60, HEIGHT / top];
  const height = Math.max(count * scale, 2);
  const from = Math.max(HEIGHT - below * scale - height, 0);
  return `M${(index * width + 1.5).toFixed(1)} ${from.toFixed(1)}h${(width - 3).toFixed(1)}v${height.toFixed(1)}h-${(width - 3).toFixed(1)}z`;
}

function switchOnOrOff(it) {
  if (switchedOff(it.name)) {
    return change({
      title: `Switch ${it.name} on`, button: "Switch on", path: "v1/policies/enable", body: { policy: it.name },
      effect: () => `${it.name} decides requests again, with ${it.quota}. What was used before stays used.`,
    });
  }
  change({
    title: `Switch ${it.name} off`, button: "Switch off", path: "v1/policies/disable", body: { policy: it.name },
    fields: ["for"],
    effect: ({ until }) => `${it.name} neither decides nor counts any request, in every process, until ${until}. Its clients have no limit of ${it.quota} until then.`,
  });
}
