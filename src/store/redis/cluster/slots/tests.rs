use super::*;
use crate::domain::key::Identity;
use crate::domain::policy::Policy;
use crate::store::Keyspace;

fn address(host: &str, port: u16) -> NodeAddress {
    NodeAddress { host: host.to_owned(), port }
}

/// A range as `CLUSTER SLOTS` has it, with a replica that is not asked.
fn range(first: i64, last: i64, host: Value, port: i64) -> Vec<Value> {
    let node = |host, port| Value::Array(vec![host, Value::Int(port), Value::Nil]);
    let replica = node(Value::BulkString(b"replica".to_vec()), 1);
    vec![Value::Int(first), Value::Int(last), node(host, port), replica]
}

#[test]
fn a_slot_is_that_of_the_cluster_specification() {
    // What CLUSTER KEYSLOT replies.
    for (tag, slot) in [("123456789", 12_739), ("foo", 12_182), ("user1000", 3_443), ("", 0)] {
        assert_eq!(slot_of_tag(tag), slot, "{tag}");
    }
}

#[test]
fn ranges_are_those_of_the_primaries() {
    let text = |text: &str| Value::BulkString(text.as_bytes().to_vec());
    let reply = vec![
        range(0, 8_191, text("a"), 7_000),
        range(8_192, 8_192, text(""), 7_001),
        range(8_193, 8_193, Value::Nil, 7_001),
        range(8_194, 16_383, text("?"), 7_002),
        range(5, 4, text("a"), 7_000),
        range(0, 16_384, text("a"), 7_000),
    ];
    let ranges = Range::all_of(reply, &address("asked", 1)).unwrap();
    let found: Vec<_> = ranges.iter().map(|it| (it.slots(), it.address.clone())).collect();
    let asked = address("asked", 7_001);
    let expected =
        [(0..=8_191, address("a", 7_000)), (8_192..=8_192, asked.clone()), (8_193..=8_193, asked)];
    assert_eq!(found, expected);
    assert!(Range::all_of(vec![vec![Value::Nil]], &address("asked", 1)).is_err());
}

#[test]
fn a_redirection_without_a_host_is_to_the_host_that_was_asked() {
    let asked = address("asked", 1);
    assert_eq!(NodeAddress::of_redirection("a:7000", &asked), Some(address("a", 7_000)));
    assert_eq!(NodeAddress::of_redirection("::1:7000", &asked), Some(address("::1", 7_000)));
    assert_eq!(NodeAddress::of_redirection(":7000", &asked), Some(address("asked", 7_000)));
    assert_eq!(NodeAddress::of_redirection("a", &asked), None);
    assert_eq!(NodeAddress::of_redirection("a:x", &asked), None);
}

#[test]
fn the_slot_of_a_key_is_that_of_its_first_braces_as_in_redis() {
    let policy = Policy::new("p", "1/day".parse().unwrap()).unwrap();
    let key = |prefix| Keyspace::new(prefix).key(&Identity::user("ann"), &policy);
    assert_eq!(slot_of(&key("t")), slot_of_tag("user:ann"));
    assert_eq!(slot_of(&key("a{b}")), slot_of_tag("b"));
    let whole = key("a{}");
    assert_eq!(slot_of(&whole), slot_of_tag(whole.as_str()));
    assert_eq!(key("a{b}").hash_tag(), "user:ann");
}
