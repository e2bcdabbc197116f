//! Prints a script as Redis gets it, for `make lint-lua`: `print acquire` or `print refund`.

#[path = "../src/store/redis/script/lua.rs"]
mod lua;

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("acquire") => print!("{}", lua::ACQUIRE),
        Some("refund") => print!("{}", lua::REFUND),
        other => panic!("there is no script {other:?}"),
    }
}
