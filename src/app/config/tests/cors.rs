//! CORS preflights.

use super::*;

#[test]
fn preflights_are_counted_unless_they_are_to_pass() {
    let passes = |text: &str| load_text(text).unwrap().cors.passes_preflights;
    assert!(!passes(""));
    assert!(!passes("[cors]\npreflight = \"limit\""));
    assert!(passes("[cors]\npreflight = \"pass\""));
    let config = load(&variables(&[("TOLLGATE_CORS__PREFLIGHT", "pass")])).unwrap();
    assert!(config.cors.passes_preflights);
}

#[test]
fn any_other_word_about_preflights_is_refused() {
    for wrong in ["\"skip\"", "\"Pass\"", "\"\""] {
        let errors = load_text(&format!("[cors]\npreflight = {wrong}")).unwrap_err().to_string();
        assert!(errors.contains("cors.preflight") && errors.contains("limit or pass"), "{errors}");
    }
}
