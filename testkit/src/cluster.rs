//! A Redis Cluster of three primaries, with or without a replica of each.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use redis::cmd;

use crate::certificates::Certified;
use crate::port;
use crate::redis::Server;
use crate::sentinels::says;
use crate::threads::until;

const PRIMARIES: usize = 3;

/// All nodes, the primaries first; each ends on drop.
#[derive(Debug)]
pub struct Cluster {
    /// In the order of their numbers.
    pub nodes: Vec<Server>,
    scheme: &'static str,
}

impl Cluster {
    /// Three primaries, which have equal parts of the slots.
    pub fn start() -> Self {
        Self::of(PRIMARIES, None)
    }

    /// The same by TLS alone, between the nodes, too.
    pub fn certified(tls: &Certified<'_>) -> Self {
        Self::of(PRIMARIES, Some(tls))
    }

    /// The same, each with a replica.
    pub fn with_replicas() -> Self {
        Self::of(2 * PRIMARIES, None)
    }

    /// `redis+cluster://a,b,c`, or `rediss+cluster://a,b,c`
    pub fn url(&self) -> String {
        let primaries = self.nodes.iter().take(PRIMARIES);
        let places: Vec<_> = primaries.map(|it| format!("127.0.0.1:{}", it.port())).collect();
        format!("{}://{}", self.scheme, places.join(","))
    }

    /// The slot of a key.
    pub fn slot_of(&self, key: &str) -> u16 {
        let mut keyslot = cmd("CLUSTER");
        keyslot.arg("KEYSLOT").arg(key);
        keyslot.query(&mut self.nodes[0].connection()).expect("a slot")
    }

    /// The number of the primary that had `slot` first.
    pub fn first_owner(slot: u16) -> usize {
        (0..PRIMARIES).find(|number| slots(*number).contains(&slot)).expect("a slot")
    }

    /// One more node, which has no slots.
    pub fn add(&mut self) -> usize {
        let number = self.nodes.len();
        self.nodes.push(node(None));
        self.meet(number);
        let known = format!("cluster_known_nodes:{}", self.nodes.len());
        self.wait(&known);
        self.wait("cluster_state:ok");
        number
    }

    fn of(count: usize, tls: Option<&Certified<'_>>) -> Self {
        let nodes: Vec<Server> = (0..count).map(|_| node(tls)).collect();
        let scheme = if tls.is_some() { "rediss+cluster" } else { "redis+cluster" };
        let cluster = Self { nodes, scheme };
        for (number, node) in cluster.nodes.iter().enumerate() {
            // Without it, they would have to agree on their epochs first.
            node.tell(&["CLUSTER", "SET-CONFIG-EPOCH", &(number + 1).to_string()]);
            if number < PRIMARIES {
                let (first, last) = slots(number).into_inner();
                node.tell(&["CLUSTER", "ADDSLOTSRANGE", &first.to_string(), &last.to_string()]);
            }
            if number > 0 {
                cluster.meet(number);
            }
        }
        cluster.wait(&format!("cluster_known_nodes:{count}"));
        for number in PRIMARIES..count {
            let of = cluster.id(number - PRIMARIES);
            let replica = &cluster.nodes[number];
            // It may not have heard of the primary's slots yet.
            until("it is a replica", || {
                let mut replicate = cmd("CLUSTER");
                replicate.arg("REPLICATE").arg(&of);
                replicate.exec(&mut replica.connection()).is_ok()
            });
            until("it follows", || says(replica, "INFO", "replication", "master_link_status:up"));
        }
        cluster.wait("cluster_state:ok");
        cluster.wait("cluster_slots_assigned:16384");
        cluster
    }

    fn meet(&self, number: usize) {
        let (port, bus) = (self.nodes[0].port().to_string(), bus(&self.nodes[0]));
        self.nodes[number].tell(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]);
    }

    /// Waits until all nodes say `text` of the cluster.
    pub fn wait(&self, text: &str) {
        for node in &self.nodes {
            until(text, || says(node, "CLUSTER", "INFO", text));
        }
    }

    fn id(&self, number: usize) -> String {
        cmd("CLUSTER").arg("MYID").query(&mut self.nodes[number].connection()).expect("its ID")
    }

    /// Waits until all nodes tell the same of who has which slots, and since when. A slot that is moved
    /// on before may be nobody's: each of two nodes takes the other for its owner.
    fn agree(&self) {
        let told = |node: &Server| {
            let nodes: String =
                cmd("CLUSTER").arg("NODES").query(&mut node.connection()).expect("its view");
            let of_node = |line: &str| {
                let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
                let slots = words.get(8..).map(<[_]>::to_vec);
                (words[0].clone(), words.get(6).cloned(), slots)
            };
            nodes.lines().map(of_node).collect::<BTreeSet<_>>()
        };
        let views = || self.nodes.iter().map(told).collect::<BTreeSet<_>>();
        until("all nodes agree", || views().len() == 1);
    }

    /// Moves `slot` with its keys, one at a time, with `pause` between all steps.
    pub fn move_slot(&self, slot: u16, from: usize, to: usize, mut pause: impl FnMut()) {
        self.agree();
        let number = slot.to_string();
        let (source, target) = (&self.nodes[from], &self.nodes[to]);
        let (source_id, target_id) = (self.id(from), self.id(to));
        target.tell(&["CLUSTER", "SETSLOT", &number, "IMPORTING", &source_id]);
        source.tell(&["CLUSTER", "SETSLOT", &number, "MIGRATING", &target_id]);
        pause();
        loop {
            let mut connection = source.connection();
            let keys: Vec<String> = cmd("CLUSTER")
                .arg("GETKEYSINSLOT")
                .arg(slot)
                .arg(1)
                .query(&mut connection)
                .expect("its keys");
            let Some(key) = keys.first() else { break };
            let mut migrate = cmd("MIGRATE");
            migrate.arg("127.0.0.1").arg(target.port()).arg(key).arg(0).arg(5_000);
            let () = migrate.query(&mut connection).expect("it moves");
            pause();
        }
        for server in [target, source] {
            server.tell(&["CLUSTER", "SETSLOT", &number, "NODE", &target_id]);
        }
        pause();
    }
}

fn slots(number: usize) -> RangeInclusive<u16> {
    match number {
        0 => 0..=5_460,
        1 => 5_461..=10_922,
        _ => 10_923..=16_383,
    }
}

fn node(tls: Option<&Certified<'_>>) -> Server {
    let bus = port::free().to_string();
    let arguments = [
        ["--cluster-enabled", "yes"],
        ["--cluster-port", &bus],
        ["--cluster-node-timeout", "1000"],
        ["--cluster-require-full-coverage", "no"],
        ["--cluster-replica-validity-factor", "0"],
        // Or who gives its last slot away becomes the replica of who takes it.
        ["--cluster-allow-replica-migration", "no"],
        ["--repl-diskless-sync-delay", "0"],
    ];
    Server::certified(tls, &arguments.concat())
}

/// The port of the nodes' own conversation.
fn bus(server: &Server) -> String {
    let mut connection = server.connection();
    let found: Vec<String> =
        cmd("CONFIG").arg("GET").arg("cluster-port").query(&mut connection).expect("an option");
    found.get(1).cloned().expect("its value")
}
