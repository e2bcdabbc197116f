//! The alert rules and the dashboard in deploy/ ask for what the running command serves.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

mod alerts;
pub(crate) mod dashboard;
mod promql;
mod served;

/// What Prometheus itself adds to each sample.
const OF_A_SCRAPE: [&str; 2] = ["job", "instance"];

pub(crate) fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(path(name)).expect(name)
}

/// The labels of a sample.
type Labels = BTreeMap<String, String>;

/// Each metric by the name of its samples, with the labels of each sample.
type Samples = BTreeMap<String, BTreeSet<Labels>>;
