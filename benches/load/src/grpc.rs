//! Load on Envoy's rate limit service: the calls that an Envoy makes, over a few connections with many streams each.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
use tonic_prost::ProstCodec;

use crate::result::Result;
use crate::wrk::{Load, Measured};

/// The domain of all descriptors.
pub(crate) const DOMAIN: &str = "bench";

/// What the first descriptor has, and all others have before an entry of their own.
pub(crate) const CLIENT: &str = "client";

/// The entry that a further descriptor has beside the client.
pub(crate) const FURTHER: [&str; 2] = ["second", "third"];

const PATH: &str = "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit";
const OK: i32 = 1;

/// An Envoy has a connection for each of its threads.
const CONNECTIONS: u64 = 4;

#[derive(Clone, PartialEq, prost::Message)]
struct RateLimitRequest {
    #[prost(string, tag = "1")]
    domain: String,
    #[prost(message, repeated, tag = "2")]
    descriptors: Vec<Descriptor>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Descriptor {
    #[prost(message, repeated, tag = "1")]
    entries: Vec<Entry>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Entry {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct RateLimitResponse {
    #[prost(int32, tag = "1")]
    overall_code: i32,
}

/// What one stream saw.
#[derive(Debug, Default)]
struct Seen {
    micros: Vec<u32>,
    refused: u64,
    lost: u64,
}

/// Sends calls with so many `descriptors` for as long, as many at a time as `load` has connections.
pub(crate) fn run(
    load: Load,
    to: SocketAddr,
    descriptors: usize,
    seconds: u64,
    seed: usize,
) -> Result<Measured> {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let mut channels = Vec::new();
        for _ in 0..CONNECTIONS.min(load.connections) {
            let endpoint = Endpoint::from_shared(format!("http://{to}"))?.tcp_nodelay(true);
            channels.push(endpoint.connect().await?);
        }
        let begun = Instant::now();
        let until = begun + Duration::from_secs(seconds);
        let mut streams = JoinSet::new();
        for (number, channel) in (0..load.connections).zip(channels.iter().cycle()) {
            let keys = Keys::new(load.keys, seed as u64 * 1_000 + number);
            streams.spawn(stream(channel.clone(), keys, descriptors, until));
        }
        let mut all = Seen::default();
        while let Some(seen) = streams.join_next().await {
            let seen = seen?;
            all.micros.extend(seen.micros);
            all.refused += seen.refused;
            all.lost += seen.lost;
        }
        let seconds = begun.elapsed().as_secs_f64();
        all.micros.sort_unstable();
        let at = |share: usize| {
            let index = all.micros.len() * share / 100;
            all.micros.get(index).map_or(f64::NAN, |it| f64::from(*it))
        };
        Ok(Measured {
            requests: all.micros.len() as f64,
            seconds,
            p50_us: at(50),
            p99_us: at(99),
            refused: all.refused as f64,
            lost: all.lost as f64,
        })
    })
}

/// One call after another.
async fn stream(channel: Channel, mut keys: Keys, descriptors: usize, until: Instant) -> Seen {
    let mut client = Grpc::new(channel);
    let mut seen = Seen::default();
    loop {
        let begun = Instant::now();
        if begun >= until {
            return seen;
        }
        match call(&mut client, request(keys.next(), descriptors)).await {
            Ok(OK) => {}
            Ok(_) => seen.refused += 1,
            Err(_) => seen.lost += 1,
        }
        let micros = begun.elapsed().as_micros();
        seen.micros.push(u32::try_from(micros).unwrap_or(u32::MAX));
    }
}

async fn call(
    client: &mut Grpc<Channel>,
    request: RateLimitRequest,
) -> std::result::Result<i32, Status> {
    client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    let codec = ProstCodec::<RateLimitRequest, RateLimitResponse>::default();
    let answer = client.unary(Request::new(request), PathAndQuery::from_static(PATH), codec);
    Ok(answer.await?.into_inner().overall_code)
}

fn request(client: u64, descriptors: usize) -> RateLimitRequest {
    let entry = |key: &str, value: String| Entry { key: key.to_owned(), value };
    let descriptor = |number: usize| {
        let mut entries = vec![entry(CLIENT, client.to_string())];
        let own = number.checked_sub(1).and_then(|further| FURTHER.get(further));
        entries.extend(own.map(|key| entry(key, "1".to_owned())));
        Descriptor { entries }
    };
    let descriptors = (0..descriptors).map(descriptor).collect();
    RateLimitRequest { domain: DOMAIN.to_owned(), descriptors }
}

/// Random clients: a linear congruential generator (Knuth, MMIX), which is enough to spread them.
struct Keys {
    state: u64,
    keys: u64,
}

impl Keys {
    fn new(keys: u64, seed: u64) -> Self {
        Self { state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, keys }
    }

    fn next(&mut self) -> u64 {
        let next = self.state.wrapping_mul(6_364_136_223_846_793_005);
        self.state = next.wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) % self.keys + 1
    }
}
