//! Random faults under load: Redis is broken and mended again and again, and every admitted request
//! is booked. No client may get more than docs/src/outages.md promises for the fault, nor less than a quota.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use tollgate::store::Store;
use tollgate::{Client, Cost, Limiter, MemoryStore, Policies, Policy, RedisOptions, RedisStore};
use tollgate_testkit::redis::Server;
use tollgate_testkit::threads::{SetOnDrop, pause};

use self::fault::{FAULTS, Fault, SECOND_USER};
use crate::result::Result;

mod fault;

const THREADS: u64 = 4;
const CLIENTS: usize = 10;
const QUOTA: u64 = 4_000;

/// The windows of the policy, as the processes of a rolling deploy have it: another one, beside.
const WINDOWS: [&str; 2] = ["52 weeks", "51 weeks"];

/// How many processes share the quota where one of them is cut off.
const PROCESSES: NonZeroU64 = NonZeroU64::new(2).expect("more than none");

/// Longer than what was decided without Redis takes to be charged to it.
const SETTLED: Duration = Duration::from_millis(1_500);

#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// How long to go on
    #[arg(long, default_value_t = 600)]
    seconds: u64,
    /// Where the order of the faults begins
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// What a round tells the threads that ask.
#[derive(Debug, Default)]
struct Signals {
    rests: AtomicBool,
    is_over: AtomicBool,
}

/// Breaks and mends a Redis, round by round with clients of their own, until the time is over.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut server = Server::bound();
    let soak = Soak::start(&server.tcp_url())?;
    let (mut books, mut random) = (BTreeMap::<Fault, Book>::new(), options.seed.max(1));
    let begun = Instant::now();
    for round in 0.. {
        if begun.elapsed() > Duration::from_secs(options.seconds) {
            break;
        }
        let fault = FAULTS[pick(&mut random, FAULTS.len())];
        let length = Duration::from_millis(100 + next(&mut random) % 900);
        let outcome = if fault == Fault::OneSidedCut {
            Soak::of_two(&server)?.round(round, fault, length, &mut server)
        } else {
            soak.round(round, fault, length, &mut server)
        };
        books.entry(fault).or_default().enter(&outcome);
    }
    println!(
        "{:<18} {:>6} {:>10} {:>15} {:>8}",
        "fault", "rounds", "admitted", "beyond a quota", "allowed"
    );
    for (fault, book) in &books {
        println!("{fault:<18} {book}");
    }
    soak.stores.iter().for_each(|store| println!("{:?}", store.status()));
    match books.values().map(|book| book.wrong).sum::<u64>() {
        0 => Ok(()),
        wrong => Err(format!("{wrong} clients got less than a quota, or more than allowed").into()),
    }
}

/// Who asks: one process or more, each with a store of its own.
struct Soak {
    stores: Vec<Arc<RedisStore>>,
    limiters: Vec<(Limiter, Policies)>,
}

impl Soak {
    /// One process with a limiter for each of [`WINDOWS`].
    fn start(url: &str) -> Result<Self> {
        let store = Arc::new(RedisStore::start(&RedisOptions::new(url))?);
        let limiter = |window: &&str| limiter(&store, window, NonZeroU64::MIN);
        let limiters = WINDOWS.iter().map(limiter).collect::<Result<_>>()?;
        Ok(Self { stores: vec![store], limiters })
    }

    /// Two processes that share a quota. One of them is known to Redis as a user of its own.
    fn of_two(server: &Server) -> Result<Self> {
        let user = format!("ACL SETUSER {SECOND_USER} reset on >{SECOND_USER} ~* +@all");
        server.tell(&user.split(' ').collect::<Vec<_>>());
        let url = server.tcp_url();
        let second = url.replace("//", &format!("//{SECOND_USER}:{SECOND_USER}@"));
        let start = |url| Ok(Arc::new(RedisStore::start(&RedisOptions::new(url))?));
        let stores = [url, second].map(start).into_iter().collect::<Result<Vec<_>>>()?;
        let limiter = |store| limiter(store, WINDOWS[0], PROCESSES);
        let limiters = stores.iter().map(limiter).collect::<Result<_>>()?;
        Ok(Self { stores, limiters })
    }

    fn is_up(&self) -> bool {
        self.stores.iter().all(|store| store.is_up())
    }

    fn failures(&self) -> u64 {
        self.stores.iter().map(|store| store.status().failures).sum()
    }

    /// Lets new clients use up their quotas while `fault` lasts for `length`.
    fn round(&self, round: u64, fault: Fault, length: Duration, server: &mut Server) -> Outcome {
        let limiters = match fault {
            Fault::TwoWindows | Fault::OneSidedCut => &self.limiters[..],
            _ => &self.limiters[..1],
        };
        // Each window counts by itself; processes count together.
        let pages = if fault == Fault::TwoWindows { WINDOWS.len() } else { 1 };
        let ledger: Vec<AtomicU64> = (0..CLIENTS * pages).map(|_| AtomicU64::new(0)).collect();
        let (signals, failures) = (Signals::default(), self.failures());
        thread::scope(|scope| {
            let _told = SetOnDrop(&signals.is_over);
            for thread in 0..THREADS {
                let (ledger, signals) = (&ledger, &signals);
                scope.spawn(move || ask(round, thread, limiters, ledger, signals));
            }
            pause(Duration::from_millis(200));
            fault.happen(server, length, &signals.rests);
            // A pause is noticed after it began, and ends by itself.
            pause(SETTLED);
            let begun = Instant::now();
            while !self.is_up() && begun.elapsed() < Duration::from_secs(30) {
                pause(Duration::from_millis(1));
            }
            pause(SETTLED);
            // Until nobody gets any more.
            let admitted = || ledger.iter().map(|it| it.load(Ordering::SeqCst)).sum::<u64>();
            let mut last = 0;
            while last != admitted() {
                last = admitted();
                pause(Duration::from_millis(200));
            }
        });
        let failures = self.failures() - failures;
        let beyond = match fault {
            // What Redis had counted is forgotten.
            Fault::Killed => QUOTA,
            // The part of the one that was cut off.
            Fault::OneSidedCut => QUOTA.div_ceil(PROCESSES.get()),
            _ => 0,
        };
        // What a full Redis declines it has not charged.
        let lost = if fault == Fault::Full { 0 } else { failures };
        // Of these two nothing may be lost, but for what something else did to Redis.
        let under_way = match fault {
            Fault::ConnectionsIdle | Fault::TwoWindows => lost * THREADS,
            _ => (lost + 1) * THREADS,
        };
        let allowed = beyond + under_way;
        Outcome { admitted: ledger.into_iter().map(AtomicU64::into_inner).collect(), allowed }
    }
}

/// Asks until the round is over, one of `limiters`, and books on one of as many pages as `ledger` has.
fn ask(
    round: u64,
    thread: u64,
    limiters: &[(Limiter, Policies)],
    ledger: &[AtomicU64],
    signals: &Signals,
) {
    let mut random = round * THREADS + thread + 1;
    let number = usize::try_from(thread).unwrap_or(0);
    let (limiter, policies) = &limiters[number % limiters.len()];
    let pages: Vec<_> = ledger.chunks(CLIENTS).collect();
    let page = pages[number % pages.len()];
    while !signals.is_over.load(Ordering::SeqCst) {
        if signals.rests.load(Ordering::SeqCst) {
            pause(Duration::from_millis(10));
            continue;
        }
        let client = pick(&mut random, CLIENTS);
        let user = format!("{round}-{client}");
        let check = limiter.check(policies, Cost::ONE, &Client::user(&user));
        if check.wait().is_ok_and(|decision| decision.is_allowed()) {
            page[client].fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// A limiter of a process that is one of `instances`.
fn limiter(
    store: &Arc<RedisStore>,
    window: &str,
    instances: NonZeroU64,
) -> Result<(Limiter, Policies)> {
    let policy = Policy::new("soak", format!("{QUOTA}/{window}").parse()?)?;
    let limiter = Limiter::builder(store.clone() as Arc<dyn Store>)
        .policy(policy)
        .instances(instances)
        .local(Arc::new(MemoryStore::new(1_000_000)))
        .build()?;
    let policies = limiter.policies(["soak"])?;
    Ok((limiter, policies))
}

/// What the clients of one round got, and the most that each may get beyond a quota.
struct Outcome {
    admitted: Vec<u64>,
    allowed: u64,
}

/// All rounds of one fault.
#[derive(Default)]
struct Book {
    rounds: u64,
    admitted: u64,
    /// Of any client.
    beyond: u64,
    allowed: u64,
    wrong: u64,
}

impl Book {
    fn enter(&mut self, outcome: &Outcome) {
        self.rounds += 1;
        self.allowed = self.allowed.max(outcome.allowed);
        for admitted in &outcome.admitted {
            self.admitted += admitted;
            self.beyond = self.beyond.max(admitted.saturating_sub(QUOTA));
            let right = QUOTA..=QUOTA + outcome.allowed;
            self.wrong += u64::from(!right.contains(admitted));
        }
    }
}

impl fmt::Display for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rounds, admitted, beyond, allowed, .. } = self;
        write!(f, "{rounds:>6} {admitted:>10} {beyond:>15} {allowed:>8}")
    }
}

/// A number below `count`.
fn pick(state: &mut u64, count: usize) -> usize {
    usize::try_from(next(state) % count as u64).unwrap_or(0)
}

/// The next number of a sequence that is random enough (xorshift).
fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}
