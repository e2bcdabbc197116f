// Who sends the request that is explained, of whom only a key is known.

const PART_KINDS = ["ip", "user", "header", "claim", "cookie", "query", "host", "segment", "route"];

const NOUNS = {
  user: "user", header: "header field", claim: "claim", cookie: "cookie", query: "parameter of the query", host: "host",
  parts: "key",
};

const OF_PATH = "Routes and segments come from the path, so type one of that route.";
const NO_DESCRIPTOR = "Only Envoy sends descriptors, so the request is explained without one.";

/**
 * What `/v1/explain` is asked about a request to `path` that the client `key` sends, and `notes`: a sentence on each part of
 * the key that the question cannot have.
 */
export function question(key, path) {
  const asked = { path, header: [], claim: [] };
  const cookies = [];
  const notes = new Set();
  for (const part of partsOf(key)) {
    const { kind, name, value } = read(part);
    if (kind === "segment" || kind === "route") notes.add(OF_PATH);
    else if (kind === "descriptor") notes.add(NO_DESCRIPTOR);
    else if (value === undefined) continue;
    else if (isHash(part)) notes.add(`Only a hash of the ${NOUNS[kind]} is known, so the request is explained without it.`);
    else if (!isWritable(kind, name, value)) notes.add(`The ${NOUNS[kind]} cannot be sent from this page, so the request is explained without it.`);
    else if (kind === "ip") [asked.ip] = value.split("/"); // A network stands for each of its addresses.
    else if (kind === "user") asked.user = value;
    else if (kind === "host") asked.header.push(`host:${value}`);
    else if (kind === "cookie") cookies.push(`${name}=${value}`);
    else if (kind === "query") asked.path = withParameter(asked.path, name, value);
    else asked[kind].push(`${name}:${value}`);
  }
  // Only the first field of a name is read.
  if (cookies.length > 0) asked.header.push(`cookie:${cookies.join("; ")}`);
  return { asked, notes: [...notes] };
}

/** The parts of a key. It is cut at each comma that a type follows, as the process cuts it. */
function partsOf(key) {
  if (key.startsWith("descriptor")) return [key];
  return key.split(new RegExp(`,(?=(?:${PART_KINDS.join("|")})(?:[:,]|$))`));
}

/** The type of a part, and the name and the value that it has. An escape that makes no text leaves `null`. */
function read(part) {
  const [kind, ...rest] = part.split(":");
  if (rest.length === 0) return { kind };
  if (!["header", "claim", "cookie", "query", "segment"].includes(kind)) return { kind, value: unescaped(rest.join(":")) };
  const [name, ...value] = rest;
  return { kind, name: unescaped(name), value: value.length > 0 || name.startsWith("#") ? unescaped(value.join(":")) : undefined };
}

/** What stands in a key as `%3C` was `<`. */
function unescaped(text) {
  try {
    return text.replace(/(?:%[0-9a-f]{2})+/gi, decodeURIComponent);
  } catch {
    return null;
  }
}

const isHash = (part) => /^[a-z]+:#[0-9a-f]{64}$/.test(part);

/** Whether the question can say it: its values are texts, and the name of a claim ends at the first colon. */
function isWritable(kind, name, value) {
  if (name === null || value === null) return false;
  if (kind === "claim" || kind === "header") return !name.includes(":");
  return kind !== "cookie" || !/[;\p{Cc}]/u.test(value);
}

/** The path with a parameter, unless it has that one. */
function withParameter(path, name, value) {
  const [before] = path.split("#");
  const query = before.split("?").slice(1).join("?");
  if (new URLSearchParams(query).has(name)) return path;
  return `${before}${before.includes("?") ? "&" : "?"}${encodeURIComponent(name)}=${encodeURIComponent(value)}`;
}
