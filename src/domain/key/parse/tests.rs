use proptest::prelude::*;

use super::*;

fn named(text: &str) -> Result<String, IdentityError> {
    Identity::named(text, Ipv6Prefix::default()).map(|identity| identity.to_string())
}

#[test]
fn what_people_type_becomes_the_text_of_the_identity() {
    let cases = [
        ("ip:203.0.113.7", "ip:203.0.113.7"),
        ("ip:203.0.113.7/32", "ip:203.0.113.7"),
        ("ip:::ffff:203.0.113.7", "ip:203.0.113.7"),
        ("ip:2001:db8::1", "ip:2001:db8::/64"),
        ("ip:2001:DB8:0:0:1::/64", "ip:2001:db8::/64"),
        ("ip:2001:db8::1/56", "ip:2001:db8::/56"),
        ("ip", "ip"),
        ("user:1042", "user:1042"),
        ("user:a:{b}", "user:a%3A%7Bb%7D"),
        ("user:a%3a%7Bb%7d", "user:a%3A%7Bb%7D"),
        ("user:50%", "user:50%25"),
        ("user", "user"),
        ("header:X-Api-Key:a b", "header:x-api-key:a%20b"),
        ("header:x-api-key:", "header:x-api-key:"),
        ("header:x-api-key", "header:x-api-key"),
        ("global", "global"),
        ("descriptor:edge:a=b", "descriptor:edge:a=b"),
        ("descriptor:edge:a=b c,d=/e/*", "descriptor:edge:a=b%20c,d=%2Fe%2F*"),
        ("descriptor:edge:", "descriptor:edge:"),
        ("descriptor", "descriptor"),
        ("descriptor:edge:a=b,ip=c", "descriptor:edge:a=b,ip=c"),
        ("claim:org:acme & co", "claim:org:acme%20%26%20co"),
        ("claim:org", "claim:org"),
        ("cookie:session:a=b", "cookie:session:a%3Db"),
        ("query:api_key:", "query:api_key:"),
        ("segment:id:7/8", "segment:id:7%2F8"),
        ("host:API.example.com:8443", "host:api.example.com"),
        ("host:[2001:DB8::1]", "host:%5B2001%3Adb8%3A%3A1%5D"),
        ("host", "host"),
        ("route:GET /items/{id}", "route:GET%20%2Fitems%2F%7Bid%7D"),
        ("route", "route"),
        // The parts stand in any order, and a comma that no type follows is one of the value.
        ("header:x-tenant:acme,ip:203.0.113.7", "ip:203.0.113.7,header:x-tenant:acme"),
        ("ip:2001:db8::1,user", "ip:2001:db8::/64,user"),
        ("user:ann,bob", "user:ann%2Cbob"),
        ("user:ann,bob,host", "user:ann%2Cbob,host"),
        ("user:ann%2Chost", "user:ann%2Chost"),
        (
            "ip,route:POST /a,b,claim:org:1,cookie:s:2",
            "ip,claim:org:1,cookie:s:2,route:POST%20%2Fa%2Cb",
        ),
    ];
    for (typed, text) in cases {
        assert_eq!(named(typed).as_deref(), Ok(text), "{typed}");
    }
}

#[test]
fn what_names_nobody_is_an_error_that_shows_what_would() {
    let no_clients = [
        "",
        "1042",
        "203.0.113.7",
        "ip:",
        "ip:1042",
        "ip:203.0.113.0/24",
        "ip:::/0",
        "ip:::1/+64",
        "ip:::1/129",
        "user:",
        "header:",
        "header::a",
        "descriptor:",
        "descriptor:edge",
        "descriptor:edge:a",
        "descriptor:edge:a=b,",
        "descriptor:edge:a=%FF",
        "globe",
        "global:",
        "claim:",
        "claim::a",
        "cookie:",
        "query::",
        "segment:%FF:a",
        "host:",
        "host:a b",
        "route:",
        "ip,ip",
        "ip:203.0.113.7,ip:203.0.113.8",
        "global,ip",
        "ip,user:",
        "user:1,claim:a:1,claim:a:2",
        "ip,user,host,route,claim:a",
        "probe",
        "operators",
    ];
    for typed in no_clients {
        let error = named(typed).expect_err(typed).to_string();
        assert!(error.contains("expected one as in") || error.contains("access.block"), "{error}");
    }
}

proptest! {
    #[test]
    fn the_text_of_an_identity_names_it(
        id in prop::collection::vec(any::<u8>(), 1..20),
        name in "[a-z-]{1,8}",
        address: u128,
        prefix in 1..=128_u8,
    ) {
        let prefix = Ipv6Prefix::new(prefix).unwrap();
        let identities = [
            Identity::user(&id),
            Identity::header(&name, &id),
            Identity::NoHeader(name.clone().into()),
            Identity::Descriptor(Cow::Owned(Descriptor::new(&name).with(&name, &name))),
            Identity::ip(std::net::Ipv6Addr::from_bits(address).into(), prefix),
        ];
        for identity in identities {
            let read = Identity::named(&identity.to_string(), Ipv6Prefix::default());
            prop_assert_eq!(read, Ok(identity));
        }
    }
}
