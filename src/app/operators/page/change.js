// Changes: a dialog that shows what one does, and makes it.

import { get, post, Refusal } from "./api.js";
import { byId, duration, el, say, setText, time } from "./dom.js";

const CONFIRM = "urn:tollgate:problem:confirmation-required";
const NAME = "tollgate-name";
const UNITS = { s: 1e3, sec: 1e3, second: 1e3, seconds: 1e3, m: 6e4, min: 6e4, minute: 6e4, minutes: 6e4, h: 36e5, hour: 36e5, hours: 36e5, d: 864e5, day: 864e5, days: 864e5 };

const FIELDS = {
  quota: { label: "Quota", value: "500/minute", hint: "Units per window, as in 500/minute." },
  for: { label: "For", value: "1h", hint: "As in 10m, 1h or 2days; 366 days at most." },
};

/** Opens the dialog of a change.
 *
 * `body` is what the API takes besides what the operator types. `fields` are those of FIELDS that it wants, and
 * `effect` says what the change does, of what is typed. `before` is a sentence about what holds now, or a promise of it.
 * `done` is called when the change is made. */
export function change({ title, button, path, body, fields = [], effect, before, done }) {
  const dialog = byId("change");
  const inputs = [...fields.map((name) => input(name, FIELDS[name])),
    input("why", { label: "Why", hint: "For the list of changes. May be left out.", maxlength: 200, optional: true }),
    input("by", { label: "Your name", value: localStorage.getItem(NAME) ?? "", hint: "For the list of changes.", maxlength: 100 })];
  const typed = () => Object.fromEntries(inputs.map(({ field }) => [field.name, field.value.trim()]));
  let confirmed = {};
  const show = () => {
    const { for: lasts, quota } = typed();
    setText(byId("change-effect"), effect({ quota, until: until(lasts) }));
  };
  const settle = () => {
    confirmed = {};
    byId("change-reasons").hidden = true;
    setText(byId("change-error"), "");
    setText(byId("change-do"), button);
    show();
  };
  setText(byId("change-title"), title);
  setText(byId("change-before"), "");
  Promise.resolve(before).then((text) => setText(byId("change-before"), text ?? ""), () => {});
  byId("change-fields").replaceChildren(...inputs.map((it) => it.element));
  byId("change-fields").oninput = settle;
  byId("change-cancel").onclick = () => dialog.close();
  byId("change-form").onsubmit = async (event) => {
    event.preventDefault();
    const missing = inputs.find(({ field }) => field.required && !field.value.trim());
    if (missing) {
      setText(byId("change-error"), `${missing.label} is missing.`);
      return missing.field.focus();
    }
    localStorage.setItem(NAME, typed().by);
    byId("change-do").disabled = true;
    try {
      const made = await send(path, { ...body, ...typed() }, confirmed);
      if (made.confirm) {
        confirmed = made.confirm;
        byId("change-reasons").replaceChildren(...made.reasons.map((reason) => el("p", {}, reason)));
        byId("change-reasons").hidden = false;
        setText(byId("change-do"), `${button} all the same`);
        return;
      }
      dialog.close();
      say(`${title}: done.`);
      done?.(made.answer);
      document.dispatchEvent(new CustomEvent("changed"));
    } catch (error) {
      setText(byId("change-error"), error.message);
    } finally {
      byId("change-do").disabled = false;
    }
  };
  settle();
  dialog.showModal();
  inputs[0].field.focus();
}

/** Sends a change. Where the API wants it confirmed, the result has its reasons, and what confirms it the next time. */
async function send(path, body, confirmed) {
  try {
    return { answer: await post(path, { ...body, ...confirmed }) };
  } catch (error) {
    if (!(error instanceof Refusal) || error.type !== CONFIRM) throw error;
    return { reasons: error.problem.reasons, confirm: { confirmed: true } };
  }
}

function input(name, { label, value = "", hint, maxlength, optional }) {
  const field = el("input", { name, value, maxlength, required: !optional, spellcheck: "false", "aria-describedby": `hint-${name}` });
  const words = optional ? `${label} (optional)` : label;
  const element = el("div", {}, el("label", {}, words, field), el("p", { class: "hint", id: `hint-${name}` }, hint));
  return { element, field, label };
}

/** Until when a change holds that lasts so long, in words. */
function until(lasts) {
  const parts = [...(lasts ?? "").matchAll(/(\d+)\s*([a-z]+)\s*/g)];
  const millis = parts.reduce((sum, [, count, unit]) => sum + count * (UNITS[unit] ?? NaN), 0);
  const isWhole = parts.map(([text]) => text).join("") === lasts;
  if (!isWhole || !(millis > 0)) return "it ends";
  return `${time(Date.now() + millis)} (in ${duration(millis)})`;
}

/** An override in words, as it holds now. */
export function inWords(it) {
  const where = it.policy ? ` under ${it.policy}` : "";
  const what = { ban: `banned${where}`, boost: `boosted to ${it.quota}${where}`, off: "switched off" }[it.effect] ?? it.effect;
  const who = it.by ? `, by ${it.by}` : "";
  return `${what} for ${duration(it.ends_after_ms)} more${who}${it.why ? `: ${it.why}` : ""}`;
}

/** What holds of a client now, in sentences. */
export async function holdsNow(key, policy) {
  const { policies, overrides } = await get("v1/keys", { key, policy });
  const held = overrides.map((it) => `It is ${inWords(it)}.`);
  const used = policies.filter((it) => it.used > 0).map((it) => `It used ${it.used} of ${it.quota} under ${it.policy}.`);
  return [held.length ? held.join(" ") : "Now: neither banned nor boosted.", ...used].join(" ");
}
