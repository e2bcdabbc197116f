// The tables of the page: who asks, what is overridden, and who changed what.

import { get } from "./api.js";
import { change, inWords } from "./change.js";
import { end, find } from "./client.js";
import { byId, counted, duration, el, list, number, setText, time } from "./dom.js";

/** A table with a title. `columns` are names and classes. Returns a function that fills it. */
function table(parent, title, columns, empty) {
  const rows = el("tbody", { role: "rowgroup" });
  const whyEmpty = el("p", { class: "empty" });
  const id = `${parent.id}-title`;
  const note = el("p", { class: "hint" });
  // On a phone its rows are no table to the browser any more, and the roles say that they are one.
  const scroll = el("div", { class: "scroll" }, el("table", { role: "table", "aria-labelledby": id, class: columns.length > 4 ? "wide" : "narrow" },
    el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, columns.map(([name, kind]) => (name
      ? el("th", { scope: "col", role: "columnheader", class: kind }, name)
      : el("td", { role: "cell" }))))), rows));
  parent.append(el("h2", { id }, title), whyEmpty, scroll, note);
  return (items, nameOf, make, about = "", failure = null) => {
    setText(whyEmpty, items.length ? "" : (failure ?? empty()));
    whyEmpty.hidden = items.length > 0;
    scroll.hidden = items.length === 0;
    setText(note, about);
    list(rows, items, nameOf, make);
  };
}

/** Makes rows of cells. `fill(item)` has their texts. The cell of a key looks it up; `act(item)` is for another button,
 * which `label(item)` describes. */
function row(columns, fill, label, act) {
  return () => {
    let item;
    const places = columns.map(([, kind]) => (kind === "key" ? el("button", { type: "button", class: "link", onclick: () => find(item.key, true) }) : null));
    const cells = columns.map(([name, kind], index) => el(index === 0 ? "th" : "td",
      { class: kind, "data-name": name, role: index === 0 ? "rowheader" : "cell", scope: index === 0 ? "row" : null }, places[index]));
    const button = label && el("button", { type: "button", class: "small", onclick: () => act(item) }, "End …");
    if (button) cells.push(el("td", { class: "act", role: "cell" }, button));
    return {
      element: el("tr", { role: "row" }, cells),
      update(it) {
        item = it;
        fill(it).forEach((text, index) => {
          const isKey = places[index] && it.key != null;
          if (places[index]) places[index].hidden = !isKey;
          if (!places[index]) return setText(cells[index], text);
          setText(places[index], text);
          places[index].title = `Look up ${text}`;
        });
        button?.setAttribute("aria-label", label(it));
      },
    };
  };
}

const REFUSED = [["Client", "key"], ["Policy", ""], ["Refused", "count"], ["For", "count"]];
const BUSIEST = [["Client", "key"], ["Policy", ""], ["Requests", "count"], ["Refused", "count"]];
const OVERRIDES = [["What", ""], ["Client", "key"], ["Policy", ""], ["Ends in", "count"], ["By", ""], ["Why", "why"]];
const AUDIT = [["When", ""], ["What", "why"], ["By", ""], ["Why", "why"], ["Before", "why"], ["After", "why"]];
const WINDOW = "Of the last 5 to 10 minutes, in this process. ~ marks a count that may be too high.";
let refused, busiest, overrides, audit;

/** Makes the tables, which are empty yet. */
export function makeTables() {
  const none = (what) => () => `No client was ${what} in the last 5 to 10 minutes.`;
  refused = table(byId("refused"), "Refused most", REFUSED, none("refused"));
  busiest = table(byId("busiest"), "Busiest", BUSIEST, none("counted"));
  overrides = table(byId("overrides"), "Bans, boosts and policies that are off", [...OVERRIDES, ["", "act"]],
    () => "No client is banned or boosted, and no policy is switched off.");
  audit = table(byId("changes"), "Changes", AUDIT, () => "Nothing was changed in the last 30 days.");
  document.addEventListener("changed", showChanges);
  // Others make changes too.
  setInterval(() => document.hidden || showChanges(), 15_000);
}

/** Shows the tables of an overview. */
export function showTables({ most_refused: top, busiest: most, overrides: { overrides: all }, overrides_error: failure }) {
  const nameOf = (it) => `${it.effect} ${it.policy} ${it.key}`;
  const about = (it) => (it.error ? "~" : "") + number(it.count);
  const since = (it) => (it.refused_for_seconds == null ? "" : duration(it.refused_for_seconds * 1000 || 1));
  refused(top, nameOf, row(REFUSED, (it) => [it.key, it.policy, about(it), since(it)]), top.length ? WINDOW : "");
  busiest(most, nameOf, row(BUSIEST, (it) => [it.key, it.policy, about(it), number(it.refused)]), most.length ? WINDOW : "");
  overrides(all, nameOf, row(OVERRIDES, (it) => [whatIs(it), it.key ?? "", it.policy ?? "all", duration(it.ends_after_ms), it.by, it.why],
    (it) => `End: ${whatIs(it)}, ${it.key ?? it.policy}`, endIt), all.length ? "Each ends by itself." : "", failure && `They could not be read: ${failure}.`);
}

const whatIs = (it) => {
  if (it.effect === "off") return "Off";
  return it.effect === "ban" ? "Ban" : `Boost to ${it.quota}`;
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
    audit(lines, (it) => `${it.at} ${it.action} ${it.subject}`,
      row(AUDIT, (it) => [time(it.at), `${it.action} ${it.subject}`, it.by, it.why, it.before, it.after]),
      lines.length === 20 ? "The last 20. tollgate audit has the others." : "");
  } catch (error) {
    audit([], String, row(AUDIT, () => []), "", `They could not be read, and that is tried again. ${error.message}`);
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
