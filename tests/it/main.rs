//! The integration tests: one binary, one module for each promise.

// 8: both stores decide alike, and as the model does.
mod alike;
// 8: what goes out in one call is answered as if it had come one by one.
mod coalesced;
// 1: decided in one step, charged together or not at all, by however many callers.
mod atomic;
// 2: a denied request writes nothing.
mod denied;
// 3: the wait that a denied request is told is tight to the millisecond.
mod retry_after;
// 4: the server's clock alone decides; one that steps back neither mints nor locks out.
mod one_clock;
// 5: integers, exact below 2^53, and larger ones refused.
mod integers;
// 6: no key without a TTL, after any crash.
mod ttl;
// 6: what something else wrote under a key of ours is no state.
mod foreign;
// 7: changed units keep the state and lock nobody out; another window counts beside.
mod changed_quota;
// A log of the largest quota keeps Redis busy for no longer than a small one.
mod large;
mod largest_log;
// 9: a cost above the quota is admitted never, not later.
mod never;
// What Redis loses of the script, it gets again.
mod script;
// The headers of the Lua files say what their bodies do.
mod lua_headers;
// What a Redis user may not do.
mod permissions;
// What it answers to some and refuses to others.
mod partial;
// Redis is killed and restarted under traffic.
mod outage;
// What an outage costs of a quota, at most.
mod bounds;
// The same of processes that share a quota, of which some or all lose Redis.
mod shares;
// What Redis declines to count is not counted as if it might have been.
mod uncharged;
// Each reason why a Redis does not count, told with its remedy, ends in the ladder.
mod causes;
// What lies between a store and its Redis delays, drops and cuts.
mod proxied;
// A connection that was closed, or forgotten on the way, while it idled costs no request.
mod idle;
// A hundred outages leave nothing behind.
mod cycles;
// Made-up keys keep nobody out of the memory store.
mod crowded;
// What the README and the book show.
mod docs;
// The command `doctor`.
mod doctor;
// TLS, sentinels, a cluster: however Redis is reached, and whatever happens to it there.
mod topologies;
// Plans and named users: their own quotas, in one key each.
mod plans;
// Whose quota an address is: none that a client writes, and each client's own behind proxies.
mod addresses;
// What operators are told, on an address of their own.
mod admin;
// Which module may import which, and how long a file may be.
mod architecture;
// What one client may take of the server: time, memory, connections; and how a stop ends them.
mod connections;
// The command: how it ends, what it says, and what it never says.
mod cli;
// Who is asking: right credentials are their user, wrong ones are nobody, and all attacks fail.
mod auth;
// The fixtures themselves: they do what tests ask of them.
mod fixtures;
// Random histories of requests under random policies.
mod histories;
// 8: what clients of the app see over HTTP, on both stores.
mod http;
// 1: many clients at once never get more than the quota, nor less.
mod load;
// What every store has to decide, slow and obvious.
mod model;
// The script that installs what `make` needs.
mod setup;
// What clients can have written into the log.
mod logs;
// What a signal does.
mod signals;
// Private servers and the running command.
mod store_watch;
mod support;
