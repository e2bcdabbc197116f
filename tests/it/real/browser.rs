//! A headless Chromium, by the WebDriver protocol.

use std::process::Command;

use serde_json::{Value, json};
use tollgate_testkit::process::Process;
use ureq::Agent;

use crate::support::port;
use crate::support::threads::until;

/// What makes Chromium ask nobody but the pages that it is sent to.
const QUIET: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// Keys, as the protocol writes them.
const TAB: char = '\u{e004}';
const ENTER: char = '\u{e007}';

/// A browser with one page, ended on drop.
pub(super) struct Browser {
    agent: Agent,
    /// Where the session is asked.
    session: String,
    _driver: Process,
}

impl Browser {
    /// Starts one whose window is so wide, in CSS pixels.
    pub(super) fn start(width: u32) -> Self {
        let port = port::free();
        let mut driver = Command::new("chromedriver");
        driver.arg(format!("--port={port}"));
        let driver = Process::start(driver).with_children();
        let agent: Agent =
            Agent::config_builder().http_status_as_error(false).proxy(None).build().into();
        let url = format!("http://127.0.0.1:{port}");
        until("the driver listens", || agent.get(format!("{url}/status")).call().is_ok());
        let size = format!("--window-size={width},900");
        let options: Vec<&str> = QUIET.into_iter().chain([size.as_str()]).collect();
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "goog:loggingPrefs": { "browser": "ALL" },
            "goog:chromeOptions": { "args": options },
        } } });
        let mut browser = Self { agent, session: format!("{url}/session"), _driver: driver };
        let session = browser.ask("", &wanted);
        let id = session["sessionId"].as_str().expect("a session").to_owned();
        browser.session = format!("{}/{id}", browser.session);
        let size =
            json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500 });
        browser.devtools("Emulation.setDeviceMetricsOverride", &size);
        browser
    }

    /// Has pages believe that the user wants this scheme of colours: `light` or `dark`.
    pub(super) fn prefer(&self, scheme: &str) {
        let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
        self.devtools("Emulation.setEmulatedMedia", &json!({ "features": [feature] }));
    }

    /// Opens a page.
    pub(super) fn open(&self, url: &str) {
        self.ask("/url", &json!({ "url": url }));
    }

    /// What a script returns; it may await.
    pub(super) fn run(&self, script: &str) -> Value {
        let script = format!("return (async () => {{ {script} }})()");
        self.ask("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// The text that a reader sees of the first element that `selector` finds; nothing if it is not shown.
    pub(super) fn text(&self, selector: &str) -> String {
        let text = self.run(&format!(
            "const it = document.querySelector({selector:?}); return it?.checkVisibility() ? it.innerText : ''"
        ));
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the element that `selector` finds shows `text`.
    pub(super) fn until_it_shows(&self, selector: &str, text: &str) {
        until(&format!("{selector} shows {text:?}"), || self.text(selector).contains(text));
    }

    /// Presses keys, one after the other, whatever has the focus.
    pub(super) fn press(&self, keys: &str) {
        let step = |key: char, kind: &str| json!({ "type": kind, "value": key });
        let steps: Vec<Value> =
            keys.chars().flat_map(|key| [step(key, "keyDown"), step(key, "keyUp")]).collect();
        self.ask(
            "/actions",
            &json!({ "actions": [{ "type": "key", "id": "keys", "actions": steps }] }),
        );
    }

    /// Presses the Enter key.
    pub(super) fn enter(&self) {
        self.press(&ENTER.to_string());
    }

    /// Presses the Tab key until `is_there`, a condition on `it`, which has the focus. Each stop on the way is seen.
    pub(super) fn tab_until(&self, is_there: &str) {
        for _ in 0..80 {
            self.press(&TAB.to_string());
            let found = self.run(&format!(
                "const it = document.activeElement; const seen = getComputedStyle(it).outlineStyle !== 'none'; \
                 return [it === document.body || seen, Boolean({is_there}), it.outerHTML.slice(0, 200)]"
            ));
            assert_eq!(found[0], true, "the focus is not seen: {}", found[2]);
            if found[1] == true {
                return;
            }
        }
        panic!("the Tab key never leads to {is_there}");
    }

    /// What the browser said about the page: errors, and what its security policy refused.
    pub(super) fn complaints(&self) -> Vec<String> {
        let entries = self.ask("/se/log", &json!({ "type": "browser" }));
        let entries = entries.as_array().expect("a log").iter();
        entries.map(|entry| entry["message"].to_string()).collect()
    }

    fn devtools(&self, command: &str, parameters: &Value) {
        self.ask("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }));
    }

    fn ask(&self, path: &str, body: &Value) -> Value {
        let request = self.agent.post(format!("{}{path}", self.session));
        let request = request.header("content-type", "application/json");
        let mut answer = request.send(body.to_string()).expect("the driver answers");
        let text = answer.body_mut().read_to_string().expect("a text");
        let answer: Value = serde_json::from_str(&text).expect("JSON");
        let value = answer["value"].clone();
        assert!(value["error"].is_null(), "{path} {body}: {value}");
        value
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It ends the browser; the driver ends with its process.
        let _ = self.agent.delete(&self.session).call();
    }
}
