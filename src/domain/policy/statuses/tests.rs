use super::*;

#[test]
fn codes_and_classes_are_told_apart() {
    let statuses = Statuses::new(["401", "5xx", "404"]).unwrap();
    let has: Vec<u16> = (0..700).filter(|status| statuses.has(*status)).collect();
    let expected: Vec<u16> = [401, 404].into_iter().chain(500..600).collect();
    assert_eq!(has, expected);
    assert_eq!(statuses.to_string(), "401, 5xx, 404");
}

#[test]
fn a_code_may_stand_beside_its_class() {
    assert!(Statuses::new(["401", "4xx"]).unwrap().has(499));
}

#[test]
fn what_is_no_list_of_statuses_is_refused() {
    let none: [&str; 0] = [];
    assert_eq!(Statuses::new(none), Err(StatusesError::Empty));
    for twice in ["401", "4xx"] {
        let error = StatusesError::Twice(twice.to_owned());
        assert_eq!(Statuses::new(["200", twice, twice]), Err(error));
    }
    for bad in [
        "", "0", "99", "600", "0401", "+40", "4x", "xx", "0xx", "6xx", "+1xx", "4XX", "40x", " 401",
    ] {
        let error = StatusesError::Unknown(bad.to_owned());
        assert_eq!(Statuses::new([bad]), Err(error), "{bad}");
    }
}
