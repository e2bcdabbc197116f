//! The command `doctor`: examines the store before it goes into production.

use std::io::{self, Write};
use std::{error, fmt};

use crate::app::assemble::redis_options;
use crate::app::config::{Config, StoreUrl};
use crate::app::error::AppError;
use crate::store::{self, Finding, Level, SystemClock};

/// Examines the store, and writes to `output` one line for each question.
///
/// # Errors
/// When an answer means failure in production, or `output` cannot be written to.
pub(crate) fn examine(config: &Config, output: &mut impl Write) -> Result<(), DoctorError> {
    let StoreUrl::Redis(url) = &config.store.url else {
        let finding = Finding::new(
            Level::Ok,
            "store",
            "memory: every process counts alone, and forgets it when it ends",
        );
        return Ok(write_line(output, &finding)?);
    };
    writeln!(output, "{url}")?;
    let prefix = &config.store.key_prefix;
    let shared =
        format!("keys begin with {prefix:?}: a service with the same prefix shares the counts");
    write_line(output, &Finding::new(Level::Ok, "prefix", shared))?;
    let options = redis_options(&config.store, url);
    let holds_slots = config.policies.iter().any(|policy| policy.in_flight().is_some());
    let findings = store::examine(&options, holds_slots, &SystemClock)
        .map_err(|error| AppError::new("the store cannot be set up", error))?;
    for finding in &findings {
        write_line(output, finding)?;
    }
    match findings.iter().filter(|finding| finding.level == Level::Fail).count() {
        0 => Ok(()),
        failed => Err(DoctorError::Failed(failed)),
    }
}

fn write_line(
    output: &mut impl Write,
    Finding { level, about, text, .. }: &Finding,
) -> io::Result<()> {
    writeln!(output, "{level:<4}  {about:<11}  {text}")
}

/// Why the command failed.
#[derive(Debug)]
pub(crate) enum DoctorError {
    /// This many answers were bad.
    Failed(usize),
    /// The store could not be examined.
    Store(AppError),
    /// The findings could not be written.
    Output(io::Error),
}

impl From<AppError> for DoctorError {
    fn from(error: AppError) -> Self {
        Self::Store(error)
    }
}

impl From<io::Error> for DoctorError {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl fmt::Display for DoctorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(1) => f.write_str("the store is not fit for production: 1 check failed"),
            Self::Failed(failed) => {
                write!(f, "the store is not fit for production: {failed} checks failed")
            }
            Self::Store(error) => write!(f, "{error}"),
            Self::Output(_) => f.write_str("the findings cannot be written"),
        }
    }
}

impl error::Error for DoctorError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Failed(_) => None,
            Self::Store(error) => error.source(),
            Self::Output(error) => Some(error),
        }
    }
}
