//! Several processes on one Redis that all count by one key: with leases and without. What Redis spends, and how many
//! requests are denied while a part of the quota is left.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::json;
use tollgate::{Clock as _, SystemClock};
use tollgate_testkit::procfs;

use crate::contender::{Contender, Running, Stage};
use crate::lab::Lab;
use crate::report::{columns, keep};
use crate::result::Result;
use crate::setting::Setting;
use crate::wrk::Load;

pub(crate) const NAME: &str = "lease-three";

const PROCESSES: u64 = 3;

/// The connections to each of them under load.
const LOAD: Load = Load { connections: 22, keys: 1 };

/// A quota that is used up while denials are counted.
const UNITS: u64 = 20_000;

/// The connections to each of them meanwhile.
const ASKERS: u64 = 4;

/// So many denials in a row end the count. By then, leases are over.
const DENIALS: u32 = 2_000;
const AT_LEAST: Duration = Duration::from_millis(500);

#[derive(Debug, Serialize)]
struct Round {
    lease_ms: u64,
    requests_per_s: f64,
    redis_us: f64,
    admitted: u64,
    /// Denials before the last unit was admitted.
    denied_early: u64,
}

pub(crate) fn measure(lab: &Lab) -> Result<()> {
    println!("{NAME}: {PROCESSES} processes on one Redis, one key; a quota of {UNITS} is used up");
    let mut rounds = Vec::new();
    for _ in 0..lab.options.rounds {
        for lease_ms in [0, 100] {
            rounds.push(round(lab, lease_ms)?);
        }
    }
    let head = ["lease_ms", "requests/s", "Redis µs a request", "admitted", "denied early"];
    let mut rows = vec![head.map(str::to_owned)];
    rows.extend(rounds.iter().map(|it| {
        let [requests, redis] = [(it.requests_per_s, 0), (it.redis_us, 3)]
            .map(|(value, decimals)| format!("{value:.decimals$}"));
        let [admitted, early] = [it.admitted, it.denied_early].map(|it| it.to_string());
        [it.lease_ms.to_string(), requests, redis, admitted, early]
    }));
    println!("{}", columns(&rows));
    let value = json!({
        "case": NAME,
        "at_ms": SystemClock.now(),
        "machine": lab.machine,
        "units": UNITS,
        "rounds": rounds,
    });
    keep(lab, NAME, &value)
}

fn round(lab: &Lab, lease_ms: u64) -> Result<Round> {
    let plenty = Setting { lease_ms, instances: PROCESSES, ..Setting::of(&["fixed-window"]) };
    lab.clear_redis();
    let running = start(lab, &plenty)?;
    let load = |seconds| -> Result<f64> {
        let results: Vec<Result<f64>> = thread::scope(|scope| {
            let run = |to| {
                scope.spawn(move || {
                    let measured = LOAD.run(&lab.script, to, seconds, 0);
                    measured.map(|it| it.requests).map_err(|it| it.to_string())
                })
            };
            let threads: Vec<_> = running.iter().map(run).collect();
            let join = |it: thread::ScopedJoinHandle<'_, std::result::Result<f64, String>>| {
                Ok(it.join().map_err(|_| "a load panicked")??)
            };
            threads.into_iter().map(join).collect()
        });
        results.into_iter().sum()
    };
    load(1)?;
    let before = procfs::cpu_seconds(lab.redis.pid());
    let requests = load(lab.options.seconds)?;
    let redis_us = (procfs::cpu_seconds(lab.redis.pid()) - before) * 1e6 / requests;
    drop(running);
    lab.clear_redis();
    let running = start(lab, &Setting { units: UNITS, ..plenty })?;
    let (admitted, denied_early) = use_up(&running)?;
    let requests_per_s = requests / lab.options.seconds as f64;
    Ok(Round { lease_ms, requests_per_s, redis_us, admitted, denied_early })
}

/// The processes, each with a directory of its own, since they have the name of their configuration in common.
fn start(lab: &Lab, setting: &Setting) -> Result<Vec<Running>> {
    let one = |number: u64| {
        let directory = lab.directory.path().join(format!("process-{number}"));
        fs::create_dir_all(&directory)?;
        lab.with_stage(|stage| {
            Contender::Tollgate.start(Stage { directory: &directory, ..stage }, setting)
        })
    };
    (0..PROCESSES).map(one).collect()
}

/// Uses up the quota. How many requests were admitted, and how many were denied before the last of them.
fn use_up(running: &[Running]) -> Result<(u64, u64)> {
    let answers = thread::scope(|scope| -> Result<Vec<(Instant, bool)>> {
        let addresses = running.iter().flat_map(|it| (0..ASKERS).map(|_| it.address));
        let ask = |address| scope.spawn(move || ask(address).map_err(|it| it.to_string()));
        let threads: Vec<_> = addresses.map(ask).collect();
        let mut all = Vec::new();
        for thread in threads {
            all.extend(thread.join().map_err(|_| "an asker panicked")??);
        }
        Ok(all)
    })?;
    let admitted = answers.iter().filter(|(_, is_admitted)| *is_admitted);
    let last = admitted.clone().map(|(at, _)| *at).max();
    let early = answers.iter().filter(|(at, is_admitted)| !is_admitted && Some(*at) < last);
    Ok((admitted.count() as u64, early.count() as u64))
}

/// Asks until all is used up: each answer, with when it came and whether it admitted.
fn ask(address: SocketAddr) -> Result<Vec<(Instant, bool)>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut answers: Vec<(Instant, bool)> = Vec::new();
    let (mut denials, mut denied_since) = (0, Instant::now());
    while denials < DENIALS || denied_since.elapsed() < AT_LEAST {
        stream.write_all(b"GET /api/data HTTP/1.1\r\nhost: localhost\r\nx-client: 0\r\n\r\n")?;
        let is_admitted = answer(&mut reader)?;
        answers.push((Instant::now(), is_admitted));
        if is_admitted {
            (denials, denied_since) = (0, Instant::now());
        } else {
            denials += 1;
        }
    }
    Ok(answers)
}

/// Reads an answer to its end. Whether it admits.
fn answer(reader: &mut BufReader<TcpStream>) -> Result<bool> {
    let (mut line, mut status, mut length) = (String::new(), String::new(), 0);
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Err("the connection was closed".into());
        }
        let text = line.trim_end().to_ascii_lowercase();
        if status.is_empty() {
            status = text;
        } else if let Some(value) = text.strip_prefix("content-length:") {
            length = value.trim().parse()?;
        } else if text.is_empty() {
            break;
        }
    }
    std::io::copy(&mut std::io::Read::take(reader, length), &mut std::io::sink())?;
    match status.split(' ').nth(1) {
        Some("200") => Ok(true),
        Some("429") => Ok(false),
        _ => Err(format!("an answer that was not expected: {status}").into()),
    }
}
