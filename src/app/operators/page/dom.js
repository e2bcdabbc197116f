// Elements and texts. What a client chose is inserted as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";

/** The element of the page with this ID. */
export const byId = (id) => document.getElementById(id);

/** A new element. `on…` properties listen, others are attributes; children are elements or texts. */
export function el(tag, properties = {}, ...children) {
  return fill(document.createElement(tag), properties, children);
}

/** A new element of a drawing. */
export function svg(tag, properties = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), properties, children);
}

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child != null && child !== false));
  return element;
}

/** Sets a text, if it is another one: what a screen reader reads is left alone otherwise. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Makes the children of `parent` those of `items`. A child stays the same element as long as its item has the same
 * name, so that it keeps the focus. `make(item)` returns it with a function `update(item)`. */
export function list(parent, items, nameOf, make) {
  const known = (parent.itsChildren ??= new Map());
  const names = new Set();
  let place = parent.firstElementChild;
  for (const item of items) {
    const name = nameOf(item);
    if (names.has(name)) continue;
    names.add(name);
    if (!known.has(name)) known.set(name, make(item));
    const child = known.get(name);
    child.update(item);
    if (child.element === place) place = place.nextElementSibling;
    else parent.insertBefore(child.element, place);
  }
  for (const [name, child] of known) {
    if (names.has(name)) continue;
    const hadFocus = child.element.contains(document.activeElement);
    child.element.remove();
    known.delete(name);
    // The focus would fall back to the top of the page.
    if (hadFocus) parent.closest("[tabindex]")?.focus();
  }
}

const numbers = new Intl.NumberFormat("en");

/** `1,204` */
export const number = (value) => numbers.format(value);

/** `1 request`, `2 requests` */
export const counted = (value, one) => `${number(value)} ${one}${value === 1 ? "" : "s"}`;

const clock = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat("en", { day: "numeric", month: "short" });

/** `14:03`, or `25 Nov 14:03` on another day than now. */
export function time(millis, now = Date.now()) {
  const [at, today] = [new Date(millis), new Date(now)];
  const isToday = at.toDateString() === today.toDateString();
  return isToday ? clock.format(at) : `${day.format(at)} ${clock.format(at)}`;
}

/** `3h 5m`: its two largest units. */
export function duration(millis) {
  let rest = Math.ceil(millis / 1000);
  const parts = [];
  for (const [unit, seconds] of [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]]) {
    const whole = Math.floor(rest / seconds);
    rest -= whole * seconds;
    if (whole > 0) parts.push(`${whole}${unit}`);
  }
  return parts.slice(0, 2).join(" ") || "0s";
}

/** `0.4 ms` */
export function micros(value) {
  if (value == null) return "–";
  return value < 1000 ? `${value} µs` : `${number(Math.round(value / 100) / 10)} ms`;
}

/** Has a screen reader say it when it has finished what it says. */
export function say(text) {
  setText(byId("said"), text);
}
