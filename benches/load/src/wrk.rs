//! Load, from `wrk`; from this process on a service of gRPC, which `wrk` does not speak.

use std::path::Path;

use tollgate_testkit::process::bound;

use crate::contender::Running;
use crate::grpc;
use crate::result::Result;

/// How the requests come.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub(crate) struct Load {
    pub(crate) connections: u64,
    /// Out of how many clients each request's is drawn.
    pub(crate) keys: u64,
}

/// What came back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    pub(crate) requests: f64,
    pub(crate) seconds: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    /// Answers of 400 and above.
    pub(crate) refused: f64,
    /// Connections that failed, and answers that never came.
    pub(crate) lost: f64,
}

impl Load {
    /// Sends requests for as long.
    pub(crate) fn run(
        &self,
        script: &Path,
        to: &Running,
        seconds: u64,
        seed: usize,
    ) -> Result<Measured> {
        if let Some(descriptors) = to.dialect.strip_prefix("grpc-") {
            return grpc::run(*self, to.address, descriptors.parse()?, seconds, seed);
        }
        let mut wrk = bound(Path::new("wrk"));
        wrk.arg("-t").arg(self.connections.min(2).to_string());
        wrk.arg("-c").arg(self.connections.to_string());
        wrk.arg("-d").arg(format!("{seconds}s")).arg("-s").arg(script);
        wrk.arg(format!("http://{}", to.address));
        wrk.arg("--").arg(self.keys.to_string()).arg(seed.to_string()).arg(to.dialect);
        let output = wrk.output().map_err(|error| format!("wrk: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let line = text.lines().find_map(|line| line.strip_prefix("measured "));
        let numbers: Vec<f64> = line
            .into_iter()
            .flat_map(|line| line.split(' '))
            .filter_map(|number| number.parse().ok())
            .collect();
        let [requests, micros, p50_us, p99_us, refused, lost] = numbers[..] else {
            let errors = String::from_utf8_lossy(&output.stderr);
            return Err(format!("wrk reported nothing:\n{text}{errors}").into());
        };
        Ok(Measured { requests, seconds: micros / 1e6, p50_us, p99_us, refused, lost })
    }
}
