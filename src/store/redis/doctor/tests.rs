use super::info::field;
use super::permissions::commands;
use crate::store::Keyspace;

#[test]
fn a_field_of_info_is_found_by_its_whole_name() {
    let info = "# Server\r\nredis_version:7.0.15\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\n";
    assert_eq!(field(info, "redis_version"), Some("7.0.15"));
    assert_eq!(field(info, "maxmemory"), Some("0"));
    assert_eq!(field(info, "maxmemory_policy"), Some("noeviction"));
    assert_eq!(field(info, "valkey_version"), None);
}

#[test]
fn every_command_that_the_documentation_lists_is_tried_and_no_other() {
    let page = include_str!("../../../../docs/src/redis.md");
    let rules_in = |text: &str| -> Vec<&str> {
        let line = page.lines().find(|line| line.contains(text)).expect("a line of rules");
        let words = line.split([' ', '`']);
        words.filter(|word| word.len() > 1 && word.starts_with('+')).collect()
    };
    let key = Keyspace::new("t").examination();
    let counting = rules_in("ACL SETUSER tollgate");
    let slots = rules_in("| policies with [`in_flight`]");
    for (holds_slots, mut listed) in [(false, counting.clone()), (true, [counting, slots].concat())]
    {
        let tried = commands(&key, holds_slots);
        let mut tried: Vec<_> = tried.into_iter().map(|(rule, _)| rule).collect();
        listed.sort_unstable();
        tried.sort_unstable();
        assert_eq!(tried, listed);
    }
}
