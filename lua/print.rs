//! Prints a script as Redis gets it, for `make lint-lua`: `print acquire`, for one.

#[path = "../src/store/redis/script/lua.rs"]
mod lua;

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("acquire") => print!("{}", lua::ACQUIRE),
        Some("refund") => print!("{}", lua::REFUND),
        Some("slots") => print!("{}", lua::SLOTS),
        Some("overrides") => print!("{}", lua::OVERRIDES),
        other => panic!("there is no script {other:?}"),
    }
}
