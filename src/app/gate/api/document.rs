//! `GET /openapi.json`: the document that describes the API (OpenAPI 3.1).

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde_json::{Value, json};
use utoipa::OpenApi;

use super::settle::Outcome;
use super::{check, health, refund, report};
use crate::app::assemble::{CurrentSnapshot, Snapshot};
use crate::app::gate::problem::{PartError, Problem};

/// The API, as its types and endpoints say.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tollgate",
        description = "Decides whether requests may pass. Servers describe the requests of their own clients, and act on the decision.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    components(schemas(Problem, PartError, Outcome)),
    paths(check::check, refund::refund, report::report, health::health, document)
)]
struct Api;

/// This document.
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "document",
    security(()),
    responses((status = 200, description = "This document.", body = Object, content_type = "application/json"))
)]
pub(super) async fn document(current: Data<CurrentSnapshot>) -> HttpResponse {
    HttpResponse::Ok().json(of(&current.load()))
}

/// The document, as `snapshot` has it.
pub(super) fn of(snapshot: &Arc<Snapshot>) -> Value {
    described(snapshot.gate_max_batch, snapshot.gate_token.is_some())
}

/// The document of a gate that takes at most so many questions in one request, and needs a token or not.
fn described(most: usize, needs_token: bool) -> Value {
    // Texts and numbers are always written.
    let mut document = serde_json::to_value(Api::openapi()).unwrap_or_default();
    let schemas = &mut document["components"]["schemas"];
    // What is derived repeats the whole of the one thing.
    for (question, answer) in [("Check", "Decision"), ("Refund", "Refunded")] {
        schemas[format!("OneOrMany_{question}")] = one_or_many(&[question], most);
        schemas[format!("OneOrMany_{answer}")] = one_or_many(&[answer], most);
    }
    schemas["OneOrMany_Report"] = one_or_many(&["Report", "Outcome"], most);
    schemas["OneOrMany_Reported"] = one_or_many(&["Reported", "Refunded"], most);
    // What the types do not say.
    for described in ["Check", "Report"] {
        let schema = &mut schemas[described];
        schema["anyOf"] = json!([{ "required": ["path"] }, { "required": ["policies"] }]);
        schema["dependentRequired"] = json!({ "plan": ["user"], "uses_reserve": ["policies"] });
        schema["properties"]["policies"]["uniqueItems"] = json!(true);
    }
    let body = &mut schemas["Refusal"]["properties"]["body"];
    let own = json!({ "description": "A body of the configuration: JSON, or a text." });
    body["anyOf"] = json!([{ "$ref": "#/components/schemas/RefusalBody" }, own]);
    if let Some(body) = body.as_object_mut() {
        body.remove("$ref");
    }
    document["paths"]["/v1/check"]["post"]["responses"]["200"]["links"] = json!({
        "refund": {
            "operationId": "refund",
            "requestBody": { "id": "$response.body#/id" },
            "description": "What the decision charged can be given back by its `id`.",
        },
        "outcome": {
            "operationId": "report",
            "requestBody": { "id": "$response.body#/id" },
            "description": "Policies that count by outcome can be told the status of the response.",
        },
    });
    document["components"]["securitySchemes"] = json!({
        "bearer": { "type": "http", "scheme": "bearer" },
        "field": { "type": "apiKey", "in": "header", "name": "X-Tollgate-Token" },
    });
    if needs_token {
        document["security"] = json!([{ "bearer": [] }, { "field": [] }]);
    }
    document
}

/// One of the things called by one of `names`, or a list of at most so many.
fn one_or_many(names: &[&str], most: usize) -> Value {
    let reference = |name: &&str| json!({ "$ref": format!("#/components/schemas/{name}") });
    let mut each: Vec<Value> = names.iter().map(reference).collect();
    let items = match &each[..] {
        [one] => one.clone(),
        several => json!({ "oneOf": several }),
    };
    each.push(json!({ "type": "array", "items": items, "maxItems": most }));
    json!({ "oneOf": each })
}
