//! Reads the body of a request: one question, or a list of them.

use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::pin::Pin;

use actix_web::HttpRequest;
use actix_web::error::PayloadError;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{BytesMut, Payload};
use futures_core::Stream as _;
use mediatype::MediaType;
use mediatype::names::{APPLICATION, JSON};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_path_to_error::{Path, Segment, Track};

use super::mistake::Mistake;
use super::one_or_many::OneOrMany;
use crate::app::assemble::Snapshot;
use crate::app::gate::problem::PartError;

/// The questions in the body of `request`, as many as `snapshot` allows.
///
/// # Errors
/// When the body is no such thing.
pub(super) async fn read<T: for<'de> Deserialize<'de>>(
    request: &HttpRequest,
    payload: Payload,
    snapshot: &Snapshot,
) -> Result<OneOrMany<T>, Mistake> {
    if !is_json(request) {
        return Err(Mistake::MediaType);
    }
    let bytes = bytes(payload, snapshot.gate_max_body_bytes).await?;
    parse(&bytes, snapshot.gate_max_batch)
}

fn is_json(request: &HttpRequest) -> bool {
    let value = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = value.and_then(|value| MediaType::parse(value).ok());
    media_type.is_some_and(|it| it.essence() == MediaType::new(APPLICATION, JSON))
}

/// The bytes of a body. The connection gives no more than `most`.
async fn bytes(payload: Payload, most: u64) -> Result<BytesMut, Mistake> {
    let mut payload = payload.into_inner();
    let mut bytes = BytesMut::new();
    while let Some(part) = poll_fn(|context| Pin::new(&mut payload).poll_next(context)).await {
        match part {
            Ok(part) => bytes.extend_from_slice(&part),
            Err(PayloadError::Overflow) => return Err(Mistake::TooLarge(most)),
            Err(_) => return Err(Mistake::Incomplete),
        }
    }
    Ok(bytes)
}

/// One question, or at most so many, from `bytes`.
fn parse<T: for<'de> Deserialize<'de>>(bytes: &[u8], most: usize) -> Result<OneOrMany<T>, Mistake> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let mut track = Track::new();
    let questions = Questions { most, of: PhantomData };
    let read = questions.deserialize(serde_path_to_error::Deserializer::new(&mut json, &mut track));
    let read = read.map_err(|error| (error, Some(track.path())));
    let ended = |questions| json.end().map(|()| questions).map_err(|error| (error, None));
    read.and_then(ended).map_err(|(error, path)| {
        let mut detail = error.to_string();
        match path {
            Some(path) if error.is_data() => {
                // The pointer says where it is.
                let position = format!(" at line {} column {}", error.line(), error.column());
                detail.truncate(detail.strip_suffix(&position).map_or(detail.len(), str::len));
                Mistake::Part(PartError { pointer: pointer(&path), detail })
            }
            _ => Mistake::Syntax(detail),
        }
    })
}

/// `path` as a JSON pointer in the fragment of a URI (RFC 6901, section 6).
fn pointer(path: &Path) -> String {
    let mut pointer = "#".to_owned();
    for segment in path {
        pointer.push('/');
        match segment {
            Segment::Seq { index } => pointer += &index.to_string(),
            Segment::Map { key } | Segment::Enum { variant: key } => escape(key, &mut pointer),
            Segment::Unknown => {}
        }
    }
    pointer
}

/// Appends a `key` to a pointer.
fn escape(key: &str, pointer: &mut String) {
    for byte in key.bytes() {
        match byte {
            b'~' => pointer.push_str("~0"),
            b'/' => pointer.push_str("~1"),
            _ if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) => {
                pointer.push(char::from(byte));
            }
            _ => pointer.push_str(&format!("%{byte:02X}")),
        }
    }
}

/// Reads one question, or at most so many.
struct Questions<T> {
    most: usize,
    of: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Questions<T> {
    type Value = OneOrMany<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Questions<T> {
    type Value = OneOrMany<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object, or a list of at most {} objects", self.most)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(OneOrMany::One)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut questions = Vec::new();
        while let Some(Object(question)) = list.next_element()? {
            if questions.len() == self.most {
                let most = self.most;
                return Err(A::Error::custom(format!("expected a list of at most {most} objects")));
            }
            questions.push(question);
        }
        Ok(OneOrMany::Many(questions))
    }
}

/// A question in a list. What is derived for it would take a list of its members as well.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Object(PhantomData)).map(Self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<PhantomData<T>> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}
