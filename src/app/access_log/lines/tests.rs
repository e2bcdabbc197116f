use std::io::Cursor;

use proptest::prelude::*;

use super::*;

/// Reads few bytes at once.
struct Slow {
    bytes: Cursor<Vec<u8>>,
    most: usize,
}

impl Read for Slow {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let most = self.most.min(bytes.len());
        self.bytes.read(&mut bytes[..most])
    }
}

fn lines(bytes: &[u8], most: usize) -> Vec<(Vec<u8>, bool, u64)> {
    let mut lines = Lines::new(Box::new(Slow { bytes: Cursor::new(bytes.to_vec()), most }));
    lines.peek().unwrap().count();
    let mut found = Vec::new();
    while let Some(line) = lines.next().unwrap() {
        found.push((line.text.to_vec(), line.is_too_long, line.number));
    }
    found
}

#[test]
fn ends_and_the_mark_of_a_beginning_are_left_out() {
    let found = lines(b"\xef\xbb\xbfa\r\n\nb\n\xef\xbb\xbfc", 2);
    let texts: Vec<&[u8]> = found.iter().map(|(text, ..)| text.as_slice()).collect();
    assert_eq!(texts, [b"a".as_slice(), b"", b"b", b"\xef\xbb\xbfc"]);
    assert_eq!(found.last().unwrap().2, 4);
}

#[test]
fn a_line_that_is_too_long_is_cut_and_the_next_one_is_whole() {
    for length in [LONGEST, LONGEST + 1, BUFFER + LONGEST, BUFFER + LONGEST + 1, 1_000_000] {
        for most in [1_000, 100_000, usize::MAX] {
            let mut bytes = b"first\n".to_vec();
            bytes.extend(vec![b'x'; length]);
            bytes.extend(b"\nlast\n");
            let found = lines(&bytes, most);
            assert_eq!(found.len(), 3, "{length} {most}");
            let (text, is_too_long, _) = &found[1];
            assert_eq!((text.len(), *is_too_long), (LONGEST, length > LONGEST), "{length} {most}");
            assert_eq!(found[2], (b"last".to_vec(), false, 3), "{length} {most}");
        }
    }
}

proptest! {
    #[test]
    fn lines_are_those_of_the_text(text in "[ab\n]{0,200}", most in 1_usize..20) {
        let expected: Vec<String> = text.lines().map(str::to_owned).collect();
        let found = lines(text.as_bytes(), most);
        let found: Vec<String> =
            found.into_iter().map(|(text, ..)| String::from_utf8(text).unwrap()).collect();
        prop_assert_eq!(found, expected);
    }
}
