use super::*;

fn recognised(lines: &[&str]) -> Result<Format, String> {
    recognise(lines.iter().map(|line| line.as_bytes()), &[])
}

#[test]
fn the_first_line_that_can_be_read_tells_the_format() {
    let common = r#"203.0.113.7 - - [01/May/2024:12:00:00 +0000] "GET / HTTP/1.1" 200 1"#;
    assert_eq!(recognised(&[common]), Ok(Format::Common));
    assert_eq!(recognised(&[&format!("{common} \"-\" \"-\"")]), Ok(Format::Combined));
    assert_eq!(recognised(&["\u{16}\u{3}", r#"{"a":1}"#, common]), Ok(Format::Common));
    assert_eq!(recognised(&[r#"{"ts":1,"ip":"203.0.113.7"}"#]), Ok(Format::Json));
}

#[test]
fn lines_in_no_format_are_told_from_json_without_a_time() {
    assert!(recognised(&["hello"]).unwrap_err().contains("--format"));
    assert!(recognised(&[r#"{"ip":"203.0.113.7"}"#]).unwrap_err().contains("--field"));
}
