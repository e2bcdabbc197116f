//! All forms of some reports.

mod extreme;
mod forms;
mod html;
mod json;
mod samples;
mod text;
