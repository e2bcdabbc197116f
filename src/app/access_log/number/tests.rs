use super::*;

#[test]
fn decimals_are_exact() {
    assert_eq!(decimal(b"12"), Some(Duration::from_secs(12)));
    assert_eq!(decimal(b"0.005"), Some(Duration::from_millis(5)));
    assert_eq!(decimal(b"1.0000000019"), Some(Duration::new(1, 1)));
    for text in ["", ".", "1.", ".5", "-1", "1e3", "99999999999999999999"] {
        assert_eq!(decimal(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn a_length_may_name_its_unit() {
    assert_eq!(length(b"1500", Unit::Millis), Some(Duration::from_millis(1_500)));
    assert_eq!(length(b"0.25s", Unit::Nanos), Some(Duration::from_millis(250)));
    assert_eq!(length("7µs".as_bytes(), Unit::Seconds), Some(Duration::from_micros(7)));
    assert_eq!(length(b"7 parsecs", Unit::Seconds), None);
}

#[test]
fn a_time_since_the_epoch_is_in_the_unit_that_fits() {
    let at = 1_714_564_800_123;
    for text in ["1714564800.123", "1714564800123", "1714564800123456", "1714564800123456789"] {
        assert_eq!(decimal(text.as_bytes()).and_then(epoch), Some(at), "{text}");
    }
    assert_eq!(float(1_714_564_800.123).and_then(epoch), Some(at));
    assert_eq!(float(-1.0), None);
    assert_eq!(float(f64::NAN), None);
}
