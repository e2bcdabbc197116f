use super::*;

const NOW: Millis = 1_700_000_000_000;

fn watch() -> Watch {
    Watch::new(&Policy::new("p", "10/minute".parse().unwrap()).unwrap())
}

#[test]
fn each_is_said_once_until_much_room_is_free_again() {
    let watch = watch();
    let said = |taken, minutes: u64| watch.has_to_say(taken, NOW + minutes * 60_000);
    assert!(!said(79, 0));
    assert!(said(80, 0));
    assert!(!said(80, 60) && !said(99, 60));
    assert!(said(100, 60));
    assert!(!said(100, 120) && !said(85, 120));
    watch.ease();
    assert!(said(80, 180) && said(100, 180));
}

#[test]
fn it_is_said_no_more_often_than_every_ten_minutes_however_a_room_fills_and_empties() {
    let watch = watch();
    let mut said = Vec::new();
    for minute in 0..30 {
        if watch.has_to_say(100, NOW + minute * 60_000) {
            said.push(minute);
        }
        watch.ease();
    }
    assert_eq!(said, [0, 10, 20]);
    assert!(watch.has_to_say(100, NOW - 60_000), "a clock that was set back silences nobody");
}

#[test]
fn what_is_full_at_once_is_said_to_be_full_alone() {
    let watch = watch();
    assert!(watch.has_to_say(100, NOW));
    assert!(!watch.has_to_say(85, NOW));
    assert_eq!(watch.to_say.load(Ordering::Relaxed), IS_FULL);
}
