//! How soon Tollgate decides after it was started, and the memory that it takes.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;
use tollgate::{Clock as _, SystemClock};
use tollgate_testkit::port::free_address;
use tollgate_testkit::process::Process;
use tollgate_testkit::procfs::resident_bytes;
use tollgate_testkit::threads::pause;

use crate::contender::{Contender, Running};
use crate::fill::fill;
use crate::lab::Lab;
use crate::report::keep;
use crate::result::Result;
use crate::setting::Setting;
use crate::stats::Spread;
use crate::target::{Bound, Verdict};

pub(crate) const NAME: &str = "start";

const KEYS: u64 = 1_000_000;
const MOST_BYTES_A_KEY: Bound = Bound::AtMost(120.0);
const MEBIBYTE: f64 = 1024.0 * 1024.0;

pub(crate) fn measure(lab: &Lab) -> Result<()> {
    let redis = Setting::of(&["fixed-window"]);
    let memory = Setting { in_memory: true, ..redis.clone() };
    println!(
        "{NAME}: from the start of the process to its first answer; {} rounds",
        lab.options.rounds
    );
    let mut results = Vec::new();
    for (name, who, setting) in [
        ("bare", Contender::Bare, &memory),
        ("tollgate, memory", Contender::Tollgate, &memory),
        ("tollgate, Redis", Contender::Tollgate, &redis),
    ] {
        let mut times = Vec::new();
        let mut resident = Vec::new();
        for _ in 0..lab.options.rounds {
            lab.clear_redis();
            let (time, running) = first_answer(lab, who, setting)?;
            times.push(time * 1e3);
            resident.push(resident_bytes(running.process.pid()) as f64 / MEBIBYTE);
        }
        let (time, resident) = (Spread::of(times), Spread::of(resident));
        println!("  {name}: {} ms, {} MiB resident", time.show(1), resident.show(1));
        results.push(json!({ "name": name, "start_ms": time, "resident_mib": resident }));
    }

    let (_, running) = first_answer(lab, Contender::Tollgate, &memory)?;
    // The connections that fill it, and what serves them, are no part of the keys.
    fill(running.address, 1_000)?;
    pause(Duration::from_millis(200));
    let before = resident_bytes(running.process.pid()) as f64;
    fill(running.address, KEYS)?;
    let after = resident_bytes(running.process.pid()) as f64;
    let bytes_a_key = (after - before) / (KEYS - 1_000) as f64;
    let verdict = MOST_BYTES_A_KEY.verdict(bytes_a_key);
    println!(
        "  with {KEYS} keys in memory: {:.1} MiB resident\n{verdict}: bytes a key {MOST_BYTES_A_KEY}: {bytes_a_key:.0}\n",
        after / MEBIBYTE
    );
    let value = json!({
        "case": NAME,
        "at_ms": SystemClock.now(),
        "machine": lab.machine,
        "starts": results,
        "resident_mib_with_keys": after / MEBIBYTE,
        "keys": KEYS,
        "bytes_a_key": bytes_a_key,
        "targets": [{
            "target": format!("bytes a key {MOST_BYTES_A_KEY}"),
            "value": bytes_a_key,
            "verdict": Verdict::to_string(&verdict),
        }],
    });
    keep(lab, NAME, &value)
}

/// The seconds from the start of the process to its first answer.
fn first_answer(lab: &Lab, who: Contender, setting: &Setting) -> Result<(f64, Running)> {
    let address = free_address();
    let program = |program: &std::path::Path| Command::new(program);
    let command = lab.with_stage(|stage| who.command(stage, setting, address, program))?;
    let begun = Instant::now();
    let mut process = Process::start(command);
    process.until("it answers", Duration::from_micros(200), |_| ask(address).ok());
    Ok((begun.elapsed().as_secs_f64(), Running { process, address, dialect: "data" }))
}

fn ask(address: SocketAddr) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"GET /api/data HTTP/1.1\r\nhost: localhost\r\nx-client: 0\r\n\r\n")?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer)?;
    match &answer {
        b"HTTP/1.1 200" => Ok(()),
        _ => Err(std::io::ErrorKind::InvalidData.into()),
    }
}
