//! The command `doctor`: looks at the store before production does.

use std::io::{self, Write};
use std::{error, fmt};

use crate::app::config::{Config, StoreUrl};
use crate::app::serve::{ServeError, redis_options};
use crate::store::{self, Finding, Level, SystemClock};

/// Writes to `output` what there is to say of the store, one line for each question.
///
/// # Errors
/// When something of it would fail in production, or `output` does not take the lines.
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
    let findings = store::examine(&redis_options(&config.store, url), &SystemClock)
        .map_err(|error| ServeError::new("the store cannot be set up", error))?;
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

/// Why the command did not end well.
#[derive(Debug)]
pub(crate) enum DoctorError {
    /// So many answers were bad.
    Failed(usize),
    Store(ServeError),
    Output(io::Error),
}

impl From<ServeError> for DoctorError {
    fn from(error: ServeError) -> Self {
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
