//! The integration tests: one binary, with one module per promise or noun.

// Shared by the tests: private servers, the running command, HTTP clients.
mod support;
// Checks that those fixtures do what tests expect of them.
mod fixtures;

// What a decision promises. The numbers are in the order of docs/src/guarantees.md.
// 1: All policies of a request are decided in one step, and charged together or not at all.
mod atomic;
// 1: Many clients at once get exactly the quota.
mod concurrent_clients;
// 2: A denied request writes nothing.
mod denied_writes_nothing;
// 3: The wait that a denied request is told is exact to the millisecond.
mod retry_after;
// 4: Only the server's clock counts. If it steps back, no quota appears and nobody is locked out.
mod one_clock;
// 5: All numbers are integers, exact below 2^53. Larger ones are refused.
mod integers;
// 6: No key is without a TTL, even after a crash.
mod ttl;
// 6: A value that something else wrote under one of our keys counts as no state.
mod fixed_counts;
mod foreign_values;
// 7: Changed units keep the state and lock nobody out. Another window has a count of its own.
mod calendar_windows;
mod changed_quota;
// 8: Both stores decide alike, and as an independent model does.
mod stores_agree;
// 8: Requests that are sent in one call are answered as if they had come one by one.
mod coalescing;
// 8: HTTP clients get the same answers from the app over both stores.
mod http;
// 9: A cost above the quota is never admitted, so it has no Retry-After.
mod cost_above_quota;

// The model of the limiter, and random histories to compare the stores with it.
mod histories;
mod model;

// The Lua script in Redis.
// The headers of the Lua files match their bodies.
mod lua_headers;
// A script that Redis has lost is loaded again.
mod script_flush;
// A sliding log of the largest quota keeps Redis busy for no longer than a small one.
mod largest_log;

// What happens when Redis fails.
// Redis is killed and restarted under traffic.
mod outage;
// How many requests clients are admitted at most while Redis fails.
mod outage_bounds;
// The same for processes that share a quota, some or all of which lose Redis.
mod shared_quota;
// A hundred outages leave no thread, connection or memory behind.
mod repeated_outages;
// Each reason why Redis cannot count is logged with its remedy.
mod redis_failures;
// Redis answers some requests and refuses others.
mod partial_refusal;
// Requests that Redis declines were not charged, so they are owed.
mod declined_calls;
// Commands that a Redis user is not permitted to run.
mod permissions;
// A network that delays, drops and cuts connections.
mod faulty_network;
// Connections that were closed while they were idle.
mod idle_connections;
// Redis by TLS, by sentinels, and as a cluster.
mod topologies;
// Trouble in Redis that the app notices while it runs.
mod store_watch;
// The command `doctor`.
mod doctor;

// Other people's apps.
// One suite for every door: actix-web, axum, and hyper alone.
mod doors;
// Whether CORS preflights are counted.
mod preflights;
// CORS middlewares around and within the limiter.
mod cors;
// The examples run.
mod examples;

// Who a request is counted for.
// Client addresses behind proxies, and attempts to forge them.
mod addresses;
// Credentials: valid ones, wrong ones and attacks.
mod auth;
// Plans and named users have quotas of their own, in one key each.
mod plans;
// Several quotas of one policy hold together.
mod several_quotas;
// Bans, boosts and switched-off policies hold in every process.
mod overrides;
// Policies that count a request only if its response has some status.
mod outcomes;
// Units of busy keys, charged at once and used in memory.
mod leases;
// Policies that are tried out before they are in force.
mod rollout;
// Clients that a policy denies again and again are banned.
mod penalties;
// Made-up keys keep nobody out of the memory store.
mod crowding;

// The command and its server.
// Its exit codes and output.
mod cli;
// What is valid and probably not meant.
mod check;
// What it would have done with the requests of access logs.
mod simulate;
// The largest configurations, and files that cannot be one.
mod large_config;
// What one client may use of the server: time, memory and connections.
mod connections;
// The operators' listener: metrics and readiness.
mod admin;
// The alert rules and the dashboard ask for metrics that there are.
mod deploy;
// Who is refused, by which policy and since when.
mod denials;
mod direct_calls;
// The live view of that, in a terminal.
mod top;
// What operators do while it runs.
mod operators;
// What proxies and other servers ask about the requests of their own clients.
mod gate;
// What clients can get written into the log.
mod logs;
// What signals do.
mod signals;
// A changed configuration is taken while the process serves.
mod refunds;
// At most so many requests at once.
mod reload;
mod slots;

// What is shipped, with the programs that use it: `make test-real` runs these.
mod real;

// How it is installed and started: completions, the manual, service managers, containers.
mod ship;

// The source tree.
// What the README and the book show is so.
mod docs;
// Which module may import which, and how long a file may be.
mod architecture;
// The script that installs what `make` needs.
mod setup;
