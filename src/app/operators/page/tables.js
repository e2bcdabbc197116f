// The tables of the page: who asks, what is overridden, and who changed what.

import { get } from "./api.js";
import { change, inWords } from "./change.js";
import { end, find } from "./client.js";
import { byId, counted, duration, el, list, number, setText, time } from "./dom.js";

/** A table with a title. `columns` are names, with a class after a space where they need one. */
function table(parent, title, columns, empty) {
  const rows = el("tbody");
  const whyEmpty = el("p", { class: "empty" });
  const id = `${parent.id}-title`;
  const note = el("p", { class: "hint" });
  const scroll = el("div", { class: "scroll" }, el("table", { "aria-labelledby": id },
    el("thead", {}, el("tr", {}, columns.map(([name, kind]) => el("th", { scope: "col", class: kind }, name)))), rows));
  parent.append(el("h2", { id }, title), whyEmpty, scroll, note);
  return (items, nameOf, make, about = "") => {
    setText(whyEmpty, items.length ? "" : empty());
    whyEmpty.hidden = items.length > 0;
    scroll.hidden = items.length === 0;
    setText(note, about);
    list(rows, items, nameOf, make);
  };
}

/** A row of cells. `fill(item, cells)` fills them, and `button(item)` is what its button does. */
function row(columns, fill, word, act) {
  return () => {
    const cells = columns.map(([, kind], index) => (index === 0 ? el("th", { scope: "row", class: kind }) : el("td", { class: kind })));
    let item;
    const button = word && el("button", { type: "button", class: "small", onclick: () => act(item) });
    if (button) cells.push(el("td", { class: "act" }, button));
    return {
      element: el("tr", {}, cells),
      update(it) {
        item = it;
        fill(it).forEach((text, index) => setText(cells[index], text));
        if (!button) return;
        const [text, label] = word(it);
        setText(button, text);
        button.setAttribute("aria-label", label);
      },
    };
  };
}

const WHO = [["Client", "key"], ["Policy", ""], ["Requests", "count"], ["Since", "count"]];
const WINDOW = "Of the last 5 to 10 minutes, in this process. ~ marks a count that may be too high.";
let refused, busiest, overrides, audit;

/** Makes the tables, which are empty yet. */
export function makeTables() {
  const act = ["", "act"];
  const none = (what) => () => `No client was ${what} in the last 5 to 10 minutes.`;
  refused = table(byId("refused"), "Refused most", [["Client", "key"], ["Policy", ""], ["Refused", "count"], ["Since", "count"], act], none("refused"));
  busiest = table(byId("busiest"), "Busiest", [["Client", "key"], ["Policy", ""], ["Requests", "count"], ["Refused", "count"], act], none("counted"));
  overrides = table(byId("overrides"), "Bans, boosts and policies that are off", [["What", ""], ["Whom", "key"], ["Ends in", "count"], ["By", ""], ["Why", "why"], act],
    () => "No client is banned or boosted, and no policy is switched off.");
  audit = table(byId("changes"), "Changes", [["When", ""], ["What", ""], ["By", ""], ["Why", "why"], ["Before", "why"], ["After", "why"]],
    () => "Nothing was changed in the last 30 days.");
  document.addEventListener("changed", showChanges);
}

/** Shows the tables of an overview. */
export function showTables(overview) {
  const nameOf = (it) => `${it.policy} ${it.key}`;
  const about = (it) => (it.error ? "~" : "") + number(it.count);
  const look = [(it) => ["Look up", `Look up ${it.key}`], (it) => find(it.key, true)];
  const since = (it) => (it.refused_for_seconds == null ? "" : `${duration(it.refused_for_seconds * 1000 || 1)} ago`);
  refused(overview.most_refused, nameOf, row(WHO, (it) => [it.key, it.policy, about(it), since(it)], ...look), overview.most_refused.length ? WINDOW : "");
  busiest(overview.busiest, nameOf, row(WHO, (it) => [it.key, it.policy, about(it), number(it.refused)], ...look), overview.busiest.length ? WINDOW : "");
  const all = overview.overrides.overrides;
  const columns = [["What", ""], ["Whom", "key"], ["Ends in", "count"], ["By", ""], ["Why", "why"]];
  overrides(all, (it) => `${it.effect} ${it.policy} ${it.key}`, row(columns, (it) => [whatIs(it), it.key ?? it.policy, duration(it.ends_after_ms), it.by, it.why],
    (it) => ["End …", `End: ${whatIs(it)}, ${it.key ?? it.policy}`], endIt), all.length ? "Each ends by itself." : "");
}

const whatIs = (it) => {
  if (it.effect === "off") return "Off";
  const what = it.effect === "ban" ? "Ban" : `Boost to ${it.quota}`;
  return it.policy ? `${what} under ${it.policy}` : what;
};

function endIt(it) {
  if (it.effect !== "off") return end(it, it.effect === "ban" ? "bans" : "boosts");
  change({
    title: `Switch ${it.policy} on`, button: "Switch on", path: "v1/policies/enable", body: { policy: it.policy },
    before: `Now: ${inWords(it)}.`,
    effect: () => `${it.policy} decides requests again, at once. What was used before stays used.`,
  });
}

/** Shows what was changed. It is asked for, since it seldom changes. */
export async function showChanges() {
  try {
    const lines = await get("v1/audit", { most: 20 });
    const columns = [["When", ""], ["What", ""], ["By", ""], ["Why", "why"], ["Before", "why"], ["After", "why"]];
    audit(lines, (it) => `${it.at} ${it.action} ${it.subject}`,
      row(columns, (it) => [time(it.at), `${it.action} ${it.subject}`, it.by, it.why, it.before, it.after]),
      lines.length === 20 ? "The last 20. tollgate audit has the others." : "");
  } catch (error) {
    audit([], String, row([], () => []), error.message);
  }
}

/** Shows what an operator should look at. */
export function showFindings(findings) {
  byId("findings").hidden = findings.length === 0;
  list(byId("finding-list"), findings, (it) => `${it.code} ${it.policy} ${it.key}`, () => {
    const [policy, text] = [el("b"), el("span")];
    let item;
    const look = el("button", { type: "button", class: "small", onclick: () => find(item.key, true) });
    return {
      element: el("li", {}, el("p", {}, policy, " ", text), look),
      update(it) {
        item = it;
        setText(policy, it.policy);
        setText(text, it.text);
        look.hidden = !it.key;
        setText(look, it.key ? `Look up ${it.key}` : "");
      },
    };
  });
}

/** `3 bans, 1 boost`, of the overrides that hold. */
export function countOverrides(all) {
  const of = (effect) => all.filter((it) => it.effect === effect).length;
  const parts = [[of("ban"), "ban"], [of("boost"), "boost"]].filter(([count]) => count > 0).map(([count, name]) => counted(count, name));
  if (of("off")) parts.push(`${of("off")} off`);
  return parts.join(", ") || "none";
}
