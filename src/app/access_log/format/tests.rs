use super::*;

#[test]
fn a_format_has_a_name_or_values() {
    for name in ["common", "combined", "caddy", "traefik", "alb", "json"] {
        assert_eq!(name.parse::<Format>().unwrap().name(), name);
    }
    assert_eq!("$remote_addr $msec".parse::<Format>().unwrap().name(), "log_format");
    assert_eq!("%h %t".parse::<Format>().unwrap().name(), "LogFormat");
}

#[test]
fn what_is_no_format_is_refused_with_what_is() {
    assert_eq!(
        "nginx".parse::<Format>().unwrap_err().to_string(),
        "\"nginx\" is not the format of a log: expected common, combined, caddy, traefik, alb or json, or a \
         log_format of nginx or a LogFormat of Apache"
    );
    assert_eq!(
        "$remote_addr".parse::<Format>().unwrap_err().to_string(),
        "\"$remote_addr\" is not the format of a log: it has no time: expected $time_local, $time_iso8601 or $msec"
    );
}
