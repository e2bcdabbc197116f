//! What is shipped beside the command, and how it is started.

mod configurations;
mod install;
mod service_manager;
