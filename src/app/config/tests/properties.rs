//! Arbitrary input.

use proptest::prelude::*;

use super::origin::Origin;
use super::*;

/// Text that is near enough to a configuration to get past the parser now and then.
fn near_toml() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "[",
        "]",
        "[[",
        "]]",
        "{",
        "}",
        "=",
        ".",
        ",",
        "\n",
        " ",
        "\"",
        "'",
        "\"\"\"",
        "#",
        "_",
        "-",
        "server",
        "store",
        "headers",
        "client_ip",
        "trusted_proxies",
        "10.0.0.1/8",
        "policies",
        "routes",
        "url",
        "timeout_ms",
        "quota",
        "burst",
        "default",
        "\"/api\"",
        "\"10/minute\"",
        "\"redis://:x@h\"",
        "0",
        "1",
        "50.7",
        "nan",
        "1e400",
        "0x",
        "0xfffffffffffffffff",
        "99999999999999999999",
        "true",
        "1979-05-27",
        "\u{fffd}",
        "é",
    ]);
    prop::collection::vec(token, 0..40).prop_map(|tokens| tokens.concat())
}

proptest! {
    #[test]
    fn no_file_makes_it_panic(text in prop_oneof![".*", "(?s).{0,200}", near_toml()]) {
        let _ = toml::parse(&text, &Origin::file("f"));
        let _ = load_text(&text).map_err(|errors| errors.to_string());
    }

    #[test]
    fn no_environment_makes_it_panic(
        pairs in prop::collection::btree_map("(TOLLGATE_|tollgate_)?(STORE|POLICIES|ROUTES|x)?(__|_|\\.)?.{0,12}(__.*)?", ".*", 0..6),
    ) {
        let variables = pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        let _ = load(&Sources { variables, ..Sources::default() });
    }

    #[test]
    fn no_setting_makes_it_panic(settings in prop::collection::vec(prop_oneof![".*", "[a-z.\"'=\\[\\]{} ]{0,30}"], 0..4)) {
        let _ = load(&Sources { settings, ..Sources::default() });
    }

    #[test]
    fn no_store_url_shows_a_password(
        scheme in "redis|redis\\+unix|REDIS|rediss|memory|http",
        before in "[a-z0-9:@/?#%&=.\\[\\]-]{0,12}",
        after in "[a-z0-9:@/?#%&=.\\[\\]-]{0,12}",
    ) {
        // In upper case, which nothing else of it is but the escapes in a message.
        let text = format!("{scheme}://u:{before}SECRET{after}@host/0");
        let shown = match text.parse::<StoreUrl>() {
            Ok(url) => format!("{url}{url:?}"),
            Err(error) => format!("{error}{error:?}"),
        };
        prop_assert!(!shown.to_ascii_uppercase().contains("SECRET"), "{shown} for {text}");
    }
}
