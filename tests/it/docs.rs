//! What the README and the book show is so: commands, answers, options, metrics and lines of the log.

mod answers;
mod commands;
mod configuration;
mod doctor;
mod gate;
mod layouts;
mod log_lines;
mod metrics;
mod page;
mod shown;
mod tls;
