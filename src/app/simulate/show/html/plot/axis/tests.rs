use plotters::coord::ranged1d::{BoldPoints, Ranged as _};

use super::{Axis, DAY, HOUR, MINUTE, SECOND};

fn labels(axis: &Axis) -> Vec<String> {
    let scale = axis.scale();
    axis.key_points(BoldPoints(10)).into_iter().map(|tick| scale.label(tick)).collect()
}

#[test]
fn counts_begin_at_0_and_are_round() {
    assert_eq!(labels(&Axis::of_counts(0)), ["0", "1"]);
    assert_eq!(labels(&Axis::of_counts(3)), ["0", "1", "2", "3"]);
    assert_eq!(labels(&Axis::of_counts(17)), ["0", "5", "10", "15", "20"]);
    assert_eq!(labels(&Axis::of_counts(4_321)), ["0", "2,000", "4,000", "6,000"]);
    assert_eq!(labels(&Axis::of_counts(6_000_000)), ["0", "2 M", "4 M", "6 M"]);
    assert_eq!(labels(&Axis::of_counts(u64::MAX)), ["0", "5 E", "10 E", "15 E"]);
}

#[test]
fn times_are_round_and_midnight_is_a_date() {
    let day = 20_783 * DAY;
    assert_eq!(
        labels(&Axis::of_times(day + 15 * HOUR, day + 40 * HOUR)),
        ["15:00", "18:00", "21:00", "11-27", "03:00", "06:00", "09:00", "12:00", "15:00"]
    );
    assert_eq!(labels(&Axis::of_times(day + 1, day + 4 * SECOND)).len(), 4);
    assert_eq!(labels(&Axis::of_times(day + MINUTE, day + MINUTE + SECOND))[0], "00:01:00");
    assert_eq!(labels(&Axis::of_times(day, day + 8 * DAY))[1], "11-27");
    assert_eq!(labels(&Axis::of_times(day, day + 3_000 * DAY))[0].len(), 10);
}

#[test]
fn no_axis_is_too_odd() {
    for (first, last) in [(0, 0), (0, u64::MAX), (u64::MAX, u64::MAX), (u64::MAX, 0), (5, 4)] {
        let axis = Axis::of_times(first, last);
        assert!(labels(&axis).len() < 20, "{first} to {last}");
        for value in [0, first, last, u64::MAX] {
            assert!((-7..=100).contains(&axis.map(&value, (-7, 100))), "{value}");
            assert!((-7..=100).contains(&axis.map(&value, (100, -7))), "{value}");
        }
    }
    let axis = Axis::of_counts(100);
    assert_eq!([0, 50, 100, 101].map(|it| axis.map(&it, (300, 100))), [300, 200, 100, 100]);
}
