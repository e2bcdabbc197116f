use super::*;

const NOW: Millis = 1_700_000_000_000;

fn watch() -> Watch {
    Watch::new(&Policy::new("p", "10/minute".parse().unwrap()).unwrap())
}

#[test]
fn each_is_said_once_until_much_room_is_free_again() {
    let watch = watch();
    let logged = |taken, minutes: u64| watch.is_worth_a_line(taken, NOW + minutes * 60_000);
    assert!(!logged(79, 0));
    assert!(logged(80, 0));
    assert!(!logged(80, 60) && !logged(99, 60));
    assert!(logged(100, 60));
    assert!(!logged(100, 120) && !logged(85, 120));
    watch.ease();
    assert!(logged(80, 180) && logged(100, 180));
}

#[test]
fn it_is_said_no_more_often_than_every_ten_minutes_however_a_room_fills_and_empties() {
    let watch = watch();
    let mut logged = Vec::new();
    for minute in 0..30 {
        if watch.is_worth_a_line(100, NOW + minute * 60_000) {
            logged.push(minute);
        }
        watch.ease();
    }
    assert_eq!(logged, [0, 10, 20]);
    assert!(watch.is_worth_a_line(100, NOW - 60_000), "a clock that was set back silences nobody");
}

#[test]
fn what_is_full_at_once_is_said_to_be_full_alone() {
    let watch = watch();
    assert!(watch.is_worth_a_line(100, NOW));
    assert!(!watch.is_worth_a_line(85, NOW));
    assert_eq!(watch.to_log.load(Ordering::Relaxed), IS_FULL);
}
