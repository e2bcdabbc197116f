//! The API of the gate: servers describe requests of their own clients in JSON, and act on the decision themselves.
//!
//! Each endpoint takes one question or a list of them, and answers in the same form.

pub(super) use self::routes::configure;

mod answer;
mod body;
mod by_first_member;
mod check;
mod claims;
mod described;
mod document;
mod health;
mod members;
mod mistake;
mod one_or_many;
mod refund;
mod refusals;
mod reply;
mod report;
mod routes;
mod settle;
mod together;
