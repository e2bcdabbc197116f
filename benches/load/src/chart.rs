//! The chart: how much of the bare app's speed each contender keeps, case by case.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::case;
use crate::result::Result;

const WIDTH: f64 = 760.0;
/// Where the bars begin, and how long the bare app's would be.
const LEFT: f64 = 210.0;
const WHOLE: f64 = 440.0;
const BAR: f64 = 18.0;

/// Colours that stand out on white and on black alike.
const STYLE: &str = "\
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.case { font-weight: 600 }
.note { font-size: 11px; fill: #656d76 }
.line { stroke: #8c959f; stroke-dasharray: 3 3 }
.tollgate, .anonymous, .axum-memory, .axum-redis { fill: #2da44e }
.multiplexed { fill: #6e8fc7 }
.plain, .tower-governor { fill: #b08f5c }
.incr, .increx { fill: #a9a9a9 }
.ceiling, .commands { fill: #8fd3a3 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .note { fill: #9198a1 } }";

/// Draws what `results` holds of the cases to `output`.
pub(crate) fn draw(results: &Path, output: &Path) -> Result<()> {
    let mut body = String::new();
    let mut top = 34.0;
    let mut machine = None;
    for case in case::all() {
        let Ok(text) = fs::read_to_string(results.join(format!("{}.json", case.name))) else {
            continue;
        };
        let value: Value = serde_json::from_str(&text)?;
        let (about, load) = (text_of(&value["about"]), &value["load"]);
        let load = format!("{} connections, {} keys", load["connections"], load["keys"]);
        let _ = writeln!(
            body,
            r#"<text class="case" x="8" y="{y}">{about}</text><text class="note" x="{WIDTH}" dx="-8" y="{y}" text-anchor="end">{load}</text>"#,
            y = top + 12.0
        );
        top += 22.0;
        for contender in value["contenders"].as_array().into_iter().flatten() {
            let (name, ratio) = (text_of(&contender["name"]), &contender["ratio_to_bare"]);
            let is_bare = ["bare", "axum-bare"].contains(&name);
            if let (false, Some(ratio)) = (is_bare, ratio["median"].as_f64()) {
                bar(&mut body, top, name, ratio);
                top += BAR + 4.0;
            }
        }
        top += 10.0;
        machine = Some(value["machine"].clone());
    }
    let machine = machine.ok_or("there is nothing to draw: run `make bench` first")?;
    let note = format!(
        "{}, {} cores shared by wrk, server and Redis {}; medians of paired rounds",
        text_of(&machine["cpu"]),
        machine["cores"].as_f64().unwrap_or(1.0),
        text_of(&machine["redis"]),
    );
    let (height, line) = (top + 22.0, LEFT + WHOLE);
    let svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" aria-label="Requests per second, as a share of the same app without a limiter">
<style>{STYLE}</style>
<text x="8" y="18">Requests/s, as a share of the same app without a limiter</text>
<line class="line" x1="{line}" x2="{line}" y1="26" y2="{top}"/>
<text class="note" x="{line}" y="20" text-anchor="middle">1.00</text>
{body}<text class="note" x="8" y="{y}">{note}</text>
</svg>
"#,
        y = height - 8.0
    );
    fs::write(output, svg)?;
    println!("{} is drawn.", output.display());
    Ok(())
}

fn bar(body: &mut String, top: f64, name: &str, ratio: f64) {
    let (length, middle) = (ratio * WHOLE, top + BAR / 2.0 + 4.5);
    let _ = writeln!(
        body,
        r#"<text x="{label}" y="{middle}" text-anchor="end">{title}</text><rect class="{name}" x="{LEFT}" y="{top}" width="{length:.1}" height="{BAR}" rx="2"/><text x="{end:.1}" y="{middle}">{ratio:.2}</text>"#,
        label = LEFT - 8.0,
        title = title(name),
        end = LEFT + length + 6.0,
    );
}

/// A contender, as readers who do not know the harness call it.
fn title(name: &str) -> &str {
    match name {
        "tollgate" => "Tollgate",
        "anonymous" => "Tollgate, no credentials",
        "multiplexed" => "async, multiplexed",
        "plain" => "r2d2 and web::block",
        "incr" => "async, INCR alone",
        "increx" => "async, INCREX alone",
        "ceiling" => "Tollgate, no command",
        "commands" => "Tollgate, no decision",
        "axum-memory" => "Tollgate, memory store",
        "axum-redis" => "Tollgate, Redis",
        "tower-governor" => "tower_governor, memory",
        other => other,
    }
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
