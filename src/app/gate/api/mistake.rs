//! What is wrong with a body: a [`Mistake`].

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use crate::app::gate::problem::{PartError, Problem, too_large};

/// What is wrong with a body.
#[derive(Debug)]
pub(super) enum Mistake {
    /// Its media type is not that of JSON.
    MediaType,
    /// It is larger than this many bytes.
    TooLarge(u64),
    /// It did not arrive whole.
    Incomplete,
    /// It is no JSON.
    Syntax(String),
    /// A part of it is not what was expected there.
    Part(PartError),
    /// It names a policy that there is not.
    UnknownPolicy(PartError),
}

/// What is wrong with a member: `detail`. It is the one of the item at `index`, if there are several; an empty name
/// means the whole item.
pub(super) fn part(index: Option<usize>, member: &str, detail: impl Into<String>) -> PartError {
    let mut pointer = pointer(index);
    if !member.is_empty() {
        pointer += &format!("/{member}");
    }
    PartError { pointer, detail: detail.into() }
}

/// The pointer to the item at `index`, or to the only one.
pub(super) fn pointer(index: Option<usize>) -> String {
    index.map_or_else(|| "#".to_owned(), |index| format!("#/{index}"))
}

impl From<Mistake> for HttpResponse {
    fn from(mistake: Mistake) -> Self {
        let problem = match mistake {
            Mistake::TooLarge(most) => return too_large(most),
            Mistake::MediaType => Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The body must have the content-type application/json.",
            ),
            Mistake::Incomplete => {
                Problem::new(StatusCode::BAD_REQUEST, "The body did not arrive whole.")
            }
            Mistake::Syntax(detail) => {
                Problem::new(StatusCode::BAD_REQUEST, format!("The body is no JSON: {detail}."))
            }
            Mistake::Part(error) => of_part(StatusCode::BAD_REQUEST, error),
            Mistake::UnknownPolicy(error) => of_part(StatusCode::NOT_FOUND, error),
        };
        problem.into()
    }
}

fn of_part(status: StatusCode, error: PartError) -> Problem {
    let detail = format!("{}: {}.", error.pointer, error.detail);
    Problem::new(status, detail).with_errors(vec![error])
}
