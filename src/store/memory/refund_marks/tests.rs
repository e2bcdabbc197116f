use super::*;

fn mark(number: u64) -> Fingerprint {
    Fingerprint::default().with(number)
}

#[test]
fn a_mark_is_set_once_for_as_long_as_it_is_kept() {
    let mut marks = RefundMarks::new(10);
    assert_eq!(marks.note(mark(1), 100, 200), Noted::Now);
    assert_eq!(marks.note(mark(1), 199, 300), Noted::Before);
    assert_eq!(marks.note(mark(2), 199, 300), Noted::Now);
    assert_eq!(marks.note(mark(1), 200, 300), Noted::Now);
}

#[test]
fn old_marks_make_room_and_others_do_not() {
    let mut marks = RefundMarks::new(SMALLEST_SWEEP);
    for number in 0..SMALLEST_SWEEP as u64 {
        assert_eq!(marks.note(mark(number), 0, 100), Noted::Now);
    }
    assert_eq!(marks.note(mark(1_000), 99, 200), Noted::NoRoom);
    assert_eq!(marks.note(mark(1_000), 100, 200), Noted::Now);
}
