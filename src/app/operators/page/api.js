// The operators' API: questions, changes and the stream of overviews.

import { byId } from "./dom.js";

// The token is in this tab alone, and only until it is closed. It is never in an address.
const TOKEN = "tollgate-token";

/** What the API says when it does not do what it is asked. */
export class Refusal extends Error {
  constructor(status, problem) {
    super(problem.detail ?? problem.title ?? `The answer has the status ${status}.`);
    this.status = status;
    this.type = problem.type;
    this.problem = problem;
  }
}

/** The answer to a question. A parameter with several values is there several times. */
export const get = (path, query = {}) => {
  const each = Object.entries(query).flatMap(([name, values]) => [values].flat().map((value) => [name, value]));
  const known = each.filter(([, value]) => value !== "" && value != null);
  const text = new URLSearchParams(known).toString();
  return ask(text ? `${path}?${text}` : path);
};

/** The answer to a request for a change. */
export const post = (path, body) =>
  ask(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

async function ask(path, options = {}) {
  const response = await send(path, options);
  return response.json();
}

/** Sends a request, with a token where one is needed. */
async function send(path, options) {
  for (;;) {
    const token = sessionStorage.getItem(TOKEN);
    const headers = { ...options.headers };
    if (token) headers.authorization = `Bearer ${token}`;
    let response;
    try {
      response = await fetch(path, { ...options, headers, cache: "no-store", credentials: "omit" });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Error("The process does not answer.");
    }
    if (response.ok) {
      byId("forget").hidden = !token;
      return response;
    }
    const problem = await response.json().catch(() => ({}));
    if (response.status !== 401) throw new Refusal(response.status, problem);
    await askForToken(token);
  }
}

let asking;

/** Waits for another token than `wrong`. However many wait, it is asked for once. */
function askForToken(wrong) {
  if (sessionStorage.getItem(TOKEN) !== wrong) return Promise.resolve();
  asking ??= new Promise((resolve) => {
    const [dialog, input] = [byId("token-dialog"), byId("token")];
    byId("token-error").textContent = wrong ? "This token is wrong." : "";
    input.value = "";
    // There is nothing to see without it, so the dialog comes back.
    dialog.onclose = () => asking && dialog.showModal();
    byId("token-form").onsubmit = () => {
      sessionStorage.setItem(TOKEN, input.value.trim());
      input.value = "";
      asking = undefined;
      resolve();
    };
    if (!dialog.open) dialog.showModal();
  });
  return asking;
}

/** Forgets the token, and all that the page shows. */
export function forgetToken() {
  sessionStorage.removeItem(TOKEN);
  location.reload();
}

/** Gives each overview to `take` as it comes, and says to `tell` whether they come. Never ends. */
export async function follow(take, tell) {
  let wait = 1000;
  for (;;) {
    await whileHidden();
    const stop = new AbortController();
    const onHidden = () => document.hidden && stop.abort();
    document.addEventListener("visibilitychange", onHidden);
    try {
      const response = await send("v1/events", { signal: stop.signal });
      for await (const event of events(response.body)) {
        wait = 1000;
        tell(null);
        take(JSON.parse(event));
      }
      tell("The process ended the connection.");
    } catch (error) {
      if (!stop.signal.aborted) tell(error.message);
    }
    document.removeEventListener("visibilitychange", onHidden);
    if (stop.signal.aborted) continue;
    await new Promise((resolve) => setTimeout(resolve, wait));
    wait = Math.min(wait * 2, 10_000);
  }
}

/** Waits while nobody sees the page. A browser has few connections to one host, for all of its tabs. */
function whileHidden() {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) => {
    document.addEventListener("visibilitychange", () => resolve(), { once: true });
  });
}

/** The data of each event. EventSource would not send the token. */
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    for (let end; (end = text.indexOf("\n\n")) >= 0; text = text.slice(end + 2)) {
      const data = text.slice(0, end).split("\n").filter((line) => line.startsWith("data: "));
      if (data.length > 0) yield data.map((line) => line.slice(6)).join("\n");
    }
  }
}
