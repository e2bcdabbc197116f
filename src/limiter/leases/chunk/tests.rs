use proptest::prelude::*;

use super::*;

fn instances(number: u64) -> NonZeroU64 {
    NonZeroU64::new(number).unwrap()
}

#[test]
fn a_process_leases_what_it_uses_up_to_a_quarter_of_its_share_of_what_remains() {
    for (remaining, number, held, demand, leased) in [
        // It uses little.
        (100_000, 1, 0, 50, Some(50)),
        // It uses more than its part.
        (1_000, 1, 0, 5_000, Some(250)),
        (1_000, 5, 0, 5_000, Some(50)),
        // It holds some already.
        (1_000, 1, 200, 5_000, Some(50)),
        (1_000, 1, 240, 5_000, None),
        // It does not use even the fewest.
        (100_000, 1, 0, 15, None),
        // Little remains.
        (63, 1, 0, 5_000, None),
        (64, 1, 0, 5_000, Some(16)),
        (639, 10, 0, 5_000, None),
        (0, 1, 0, 5_000, None),
    ] {
        let chunk = chunk(remaining, instances(number), held, demand);
        assert_eq!(chunk.map(u64::from), leased, "{remaining}, {number}, {held}, {demand}");
    }
}

#[test]
fn plenty_is_four_times_what_a_process_uses_in_its_part() {
    for (remaining, number, demand, is_plenty) in [
        (1_600, 1, 100, true),
        (1_599, 1, 100, false),
        (4_800, 3, 100, true),
        (4_799, 3, 100, false),
        (u64::MAX, 1, 100, true),
        (0, 1, 1, false),
    ] {
        let found = super::is_plenty(remaining, instances(number), demand);
        assert_eq!(found, is_plenty, "{remaining}, {number}, {demand}");
    }
}

#[test]
fn a_process_gives_up_what_others_used_up_before_its_charge() {
    for (granted, remaining, number, left) in [
        (16, 984, 1, 16),
        (250, 750, 1, 250),
        // Others used 600 of a thousand since it asked.
        (250, 150, 1, 100),
        (50, 350, 5, 20),
        // A quarter of what remained is less than the fewest.
        (20, 44, 1, 16),
        (20, 43, 1, 0),
        (250, 0, 1, 62),
        (50, 250, 5, 0),
    ] {
        assert_eq!(kept(granted, remaining, instances(number)), left, "{granted}, {remaining}");
    }
}

#[test]
fn a_lease_ends_with_the_window_in_which_it_was_charged() {
    let policy = |algorithm: &str| {
        let quota: crate::domain::quota::Quota = "1000/minute".parse().unwrap();
        let algorithm = Algorithm::named(algorithm, quota).unwrap();
        Policy::new("p", quota).unwrap().with_algorithm(algorithm).unwrap()
    };
    for (algorithm, reset_after, length) in [
        ("fixed-window", 60_000, 100),
        ("fixed-window", 103, 100),
        ("fixed-window", 50, 47),
        ("fixed-window", 2, 0),
        ("sliding-window", 120_000, 100),
        // The units of this window count until the end of the next one.
        ("sliding-window", 60_050, 47),
        ("sliding-window", 60_000, 0),
        ("token-bucket", 5, 100),
    ] {
        assert_eq!(lasts(&policy(algorithm), 100, reset_after), length, "{algorithm}");
    }
}

proptest! {
    #[test]
    fn all_processes_together_hold_at_most_a_quarter_of_what_remained(
        remaining in 0_u64..1 << 53,
        number in 1_u64..2_000,
        held in 0_u64..1 << 30,
        demand in 0_u64..1 << 53,
    ) {
        let chunk = chunk(remaining, instances(number), held, demand).map(u64::from);
        if let Some(chunk) = chunk {
            prop_assert!(chunk >= FEWEST);
            prop_assert!(u128::from(number) * u128::from(held + chunk) <= u128::from(remaining / 4));
            prop_assert!(held + chunk <= demand);
        }
    }

    #[test]
    fn a_process_keeps_no_more_than_what_remains_allows(
        granted in prop_oneof![0_u64..2_000, 0_u64..1 << 32],
        // Mostly so few that the process cannot keep all.
        remaining in prop_oneof![0_u64..2_000, 0_u64..1 << 32, 0_u64..1 << 53],
        number in 1_u64..2_000,
    ) {
        let kept = kept(granted, remaining, instances(number));
        prop_assert!(kept <= granted);
        prop_assert!(u128::from(number) * u128::from(kept) <= u128::from((remaining + granted) / 4));
        let left = remaining + granted - kept;
        prop_assert!(kept == 0 || left >= 3 * FEWEST, "the last units are not leased");
    }
}
