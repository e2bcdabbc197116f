//! The operators' page, in a browser.

use serde_json::Value;

use super::browser::Browser;
use crate::support::http::Client;
use crate::support::port;
use crate::support::process::{Options, Tollgate};
use crate::support::redis::Server;
use crate::support::threads::until;

mod explanations;

/// A process, and where its page is.
struct Served {
    tollgate: Tollgate,
    page: String,
}

impl Served {
    fn by(options: Options) -> Self {
        let listen = format!("127.0.0.1:{}", port::free());
        let tollgate = options.set("admin.listen", &listen).serve();
        Self { tollgate, page: format!("http://{listen}/") }
    }

    /// Runs a command of an operator.
    fn run(&self, arguments: &[&str]) {
        let listen = self.page.trim_start_matches("http://").trim_end_matches('/');
        let finished = Options::default().set("admin.listen", listen).run(arguments);
        assert!(finished.status.success(), "{arguments:?}: {}", finished.stderr);
    }

    fn status(&self) -> u16 {
        self.tollgate.get("/api/data", &[]).status
    }
}

fn in_memory() -> Options {
    Options::default()
        .set("store.url", "memory:")
        .set("policies.default.quota", "2/52 weeks")
        .set("policies.idle.quota", "9/day")
        .set("routes.\"/nowhere\".policies", "idle")
        .set("routes.\"/api/data\".policies", "default")
}

/// A browser that shows the page.
fn shown(served: &Served, width: u32, scheme: &str) -> Browser {
    let browser = Browser::start(width);
    browser.prefer(scheme);
    browser.open(&served.page);
    browser.until_it_shows("#policy-list", "default");
    browser
}

/// Looks a client up, as a person does.
fn look_up(browser: &Browser, key: &str) {
    look_up_as(browser, key, key);
}

/// The same, until the page shows this text of the client.
fn look_up_as(browser: &Browser, key: &str, shown: &str) {
    browser.run("document.querySelector('#key').focus(); document.querySelector('#key').select()");
    browser.press(key);
    browser.enter();
    browser.until_it_shows("#client", shown);
}

/// Presses the button of this text, in this part of the page.
fn click(browser: &Browser, part: &str, text: &str) {
    if part != "#change" {
        // A dialog hides all else until the change that it made is answered.
        let is_open = "return document.querySelector('dialog[open]') !== null";
        until("no dialog is open", || browser.run(is_open) == false);
    }
    let found = browser.run(&format!(
        "const all = [...document.querySelectorAll('{part} button')]; \
         const it = all.find((it) => it.textContent === '{text}' && it.offsetParent); it?.click(); return Boolean(it)"
    ));
    assert_eq!(found, true, "{part} has a button {text:?}");
}

#[test]
#[ignore = "make test-real"]
fn the_page_says_why_it_is_empty_and_shows_denials_as_they_come() {
    let served = Served::by(in_memory());
    let browser = shown(&served, 1280, "light");
    browser.until_it_shows("#ready", "Ready");
    browser.until_it_shows("#live", "live");
    let idle = "[aria-labelledby=policy-idle]";
    browser.until_it_shows(idle, "No request met this policy since ");
    browser.until_it_shows(
        "#findings",
        "No request met this policy since the configuration was taken.",
    );
    browser.until_it_shows("#refused", "No client was refused in the last 5 to 10 minutes.");
    browser.until_it_shows("#busiest", "No client was counted in the last 5 to 10 minutes.");
    browser.until_it_shows(
        "#overrides",
        "No client is banned or boosted, and no policy is switched off.",
    );
    browser.until_it_shows("#changes", "Nothing was changed in the last 30 days.");
    browser.until_it_shows("#figures", "no request was denied");

    assert_eq!([(); 5].map(|()| served.status()), [200, 200, 429, 429, 429]);
    let default = "[aria-labelledby=policy-default]";
    browser.until_it_shows(default, "2 allowed");
    browser.until_it_shows(default, "3 denied");
    browser.until_it_shows("#refused", "ip:127.0.0.1");
    browser.until_it_shows("#figures", "by default");
    // The chart has a name, and its numbers as a table.
    let name = format!("return document.querySelector('{default} svg').getAttribute('aria-label')");
    let name = browser.run(&name);
    assert_eq!(name, "default in the last hour: 2 allowed, 3 denied. A table follows.");
    browser.run(&format!("document.querySelector('{default} summary').click()"));
    until("the table has the minutes", || {
        let sums = browser.run(&format!(
            "const rows = [...document.querySelectorAll('{default} tbody tr')]; \
             return [1, 2].map((cell) => rows.reduce((sum, row) => sum + Number(row.children[cell].textContent), 0))"
        ));
        sums == serde_json::json!([2, 3])
    });
    assert_eq!(browser.complaints(), [""; 0], "errors, or what its security policy refuses");
    // Nothing is loaded from elsewhere.
    let loaded =
        browser.run("return performance.getEntriesByType('resource').map((it) => it.name)");
    let loaded = loaded.as_array().expect("addresses");
    assert!(loaded.len() > 5, "{loaded:?}");
    for address in loaded.iter().filter_map(Value::as_str) {
        assert!(address.starts_with(&served.page) || address.starts_with("data:"), "{address}");
    }
}

#[test]
#[ignore = "make test-real"]
fn a_client_is_found_explained_banned_and_let_in_by_the_keyboard_alone() {
    let served = Served::by(in_memory());
    assert_eq!([(); 3].map(|()| served.status()), [200, 200, 429]);
    let browser = shown(&served, 1280, "light");
    browser.tab_until("it.id === 'key'");
    browser.press("127.0.0.1");
    browser.enter();
    browser.until_it_shows("#client", "2 of 2 used");
    browser.tab_until("it.textContent === 'Explain'");
    browser.enter();
    browser.until_it_shows("#client", "would be denied Too few units are left under default.");
    browser.until_it_shows("#client", "It is for /nowhere.");

    // An address may ask for a client.
    browser.open(&format!("{}#find?key=user:1042", served.page));
    browser.until_it_shows("#client", "user:1042");
    look_up(&browser, "ip:127.0.0.1");

    // Back up the page, and on to the ban.
    browser.run("document.querySelector('#key').focus()");
    browser.tab_until("it.textContent === 'Ban …'");
    browser.enter();
    browser.until_it_shows(
        "#change-effect",
        "ip:127.0.0.1 gets 403 for whatever it asks, in every process, until ",
    );
    browser.until_it_shows(
        "#change-before",
        "Now: neither banned nor boosted. It used 2 of 2/52 weeks under default.",
    );
    assert_eq!(
        browser.run("return document.activeElement.name"),
        "for",
        "the dialog has the focus"
    );
    browser.tab_until("it.name === 'why'");
    browser.press("a test");
    browser.enter();
    browser.until_it_shows("#change-error", "Your name is missing.");
    browser.press("ann");
    assert_eq!(served.status(), 429, "nothing is done yet");
    browser.enter();
    until("the ban holds", || served.status() == 403);
    browser.until_it_shows("#client", "This client is banned for ");
    browser.until_it_shows("#overrides", "a test");
    browser.until_it_shows("#changes", "ban ip:127.0.0.1");
    browser.until_it_shows("#said", "Ban ip:127.0.0.1: done.");
    let focus = "return document.activeElement.textContent";
    until("the focus is where it was", || browser.run(focus) == "Ban …");

    browser.tab_until("it.textContent === 'End the ban …'");
    browser.enter();
    browser.until_it_shows("#change-before", "Now: banned for ");
    browser.enter();
    browser.enter();
    until("the ban is over", || served.status() == 429);
    browser.until_it_shows("#overrides", "No client is banned or boosted");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
#[ignore = "make test-real"]
fn a_boost_a_reset_and_a_switch_do_what_their_dialogs_say() {
    let redis = Server::start();
    let served = Served::by(in_memory().set("store.url", &redis.url()));
    assert_eq!([(); 3].map(|()| served.status()), [200, 200, 429]);
    let browser = shown(&served, 1280, "dark");
    look_up(&browser, "ip:127.0.0.1");
    let send = |name: &str, value: &str| {
        browser.run(&format!(
            "const it = document.querySelector('#change [name={name}]'); it.value = '{value}'; \
             it.dispatchEvent(new Event('input', {{ bubbles: true }}))"
        ));
    };
    click(&browser, "#client", "Boost …");
    send("by", "ann");
    send("quota", "lots");
    click(&browser, "#change", "Boost");
    browser.until_it_shows("#change-error", "quota: expected units per window");
    send("quota", "3/52 weeks");
    browser.until_it_shows(
        "#change-effect",
        "ip:127.0.0.1 has a quota of 3/52 weeks under every policy that counts it",
    );
    click(&browser, "#change", "Boost");
    until("the boost holds", || served.status() == 200);
    browser.until_it_shows("#client", "This client is boosted to 3/52 weeks");

    click(&browser, "#client", "Reset …");
    browser.until_it_shows("#change-effect", "Forgotten is: ");
    click(&browser, "#change", "Reset");
    until("the quota is whole", || served.status() == 200);

    click(&browser, "[aria-labelledby=policy-default]", "Switch off …");
    browser.until_it_shows("#change-effect", "default neither decides nor counts any request");
    click(&browser, "#change", "Switch off");
    browser.until_it_shows("[aria-labelledby=policy-default]", "switched off for ");
    until("the policy is off", || [(); 5].map(|()| served.status()) == [200; 5]);
    browser.until_it_shows("#overrides", "Off");
    click(&browser, "[aria-labelledby=policy-default]", "Switch on …");
    click(&browser, "#change", "Switch on");
    browser.until_it_shows("[aria-labelledby=policy-default]", "in force");
    assert_eq!(browser.complaints().len(), 1, "the one of the quota that is none");
}

#[test]
#[ignore = "make test-real"]
fn a_ban_by_a_penalty_is_shown_and_ended() {
    let served = Served::by(
        in_memory()
            .set("policies.default.penalty.denials", "2")
            .set("policies.default.penalty.within_ms", "60000")
            .set("policies.default.penalty.ban_ms", "3600000"),
    );
    until("the penalty bans", || served.status() == 403);
    let browser = shown(&served, 1280, "light");
    look_up(&browser, "ip:127.0.0.1");
    browser.until_it_shows("#client", "banned by its penalty for ");
    click(&browser, "#client", "End the ban by a penalty …");
    browser.until_it_shows("#change-effect", "The penalty of default bans ip:127.0.0.1 no longer");
    browser.run("document.querySelector('#change [name=by]').value = 'ann'");
    click(&browser, "#change", "End the ban");
    until("the ban is over", || served.status() == 429);
    browser.until_it_shows("#client", "denied for ");
}

#[test]
#[ignore = "make test-real"]
fn a_change_that_may_not_be_meant_says_why_before_it_is_made() {
    let served = Served::by(in_memory());
    let browser = shown(&served, 1280, "light");
    look_up(&browser, "global");
    click(&browser, "#client", "Ban …");
    browser.run("document.querySelector('#change [name=by]').value = 'ann'");
    click(&browser, "#change", "Ban");
    browser.until_it_shows("#change-reasons", "Many clients share this key.");
    let overrides =
        || Client::of(served.page.trim_end_matches('/').to_owned()).get("/v1/overrides", &[]).body;
    assert!(overrides().contains("\"overrides\":[]"), "nothing is done yet");
    click(&browser, "#change", "Ban all the same");
    until("the ban is made", || overrides().contains("\"effect\":\"ban\""));
}

#[test]
#[ignore = "make test-real"]
fn what_others_chose_is_text_and_never_markup() {
    let served = Served::by(
        in_memory()
            .set("policies.keyed.quota", "1/52 weeks")
            .set("policies.keyed.key", "header:x-api-key")
            .set("routes.\"/api/data\".policies", "keyed"),
    );
    let markup = "<img src=x onerror=window.pwned=1><script>window.pwned=1</script>";
    let field: [(&str, &[u8]); 1] = [("x-api-key", markup.as_bytes())];
    for _ in 0..3 {
        served.tollgate.get("/api/data", &field);
    }
    served.run(&["ban", "user:1", "--for", "1h", "--why", markup, "--by", markup]);
    let browser = shown(&served, 1280, "light");
    browser.until_it_shows("#overrides", markup);
    browser.until_it_shows("#changes", markup);
    // A key is written so that it needs no care.
    browser.until_it_shows("#refused", "header:x-api-key:%3Cimg");
    browser.run("document.querySelector('#refused .link').click()");
    browser.until_it_shows("#client", "1 of 1 used");
    click(&browser, "#client", "Explain");
    browser.until_it_shows("#client", "would be denied");
    click(&browser, "#client", "Ban …");
    browser.run(&format!(
        "const it = document.querySelector('#change [name=by]'); it.value = '{markup}'; \
         it.dispatchEvent(new Event('input', {{ bubbles: true }}))"
    ));
    click(&browser, "#change", "Ban");
    browser.until_it_shows("#client", &format!("by {markup}"));
    let inserted =
        "return [typeof window.pwned, document.querySelectorAll('img, body script').length]";
    assert_eq!(browser.run(inserted), serde_json::json!(["undefined", 0]));
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
#[ignore = "make test-real"]
fn a_token_is_asked_for_once_and_the_reading_one_changes_nothing() {
    let token = || {
        let made = Options::default().run(&["keys", "token"]).stdout;
        let (token, digest) = made.split_once('\n').expect("a token and its digest");
        let digest = digest.split('"').nth(1).expect("a digest");
        (token.to_owned(), digest.to_owned())
    };
    let ((full, full_digest), (read, read_digest)) = (token(), token());
    let served = Served::by(
        in_memory()
            .set("admin.token_sha256", &full_digest)
            .set("admin.read_token_sha256", &read_digest),
    );
    let browser = Browser::start(1280);
    browser.open(&served.page);
    browser.until_it_shows("#token-dialog", "A token is needed");
    browser.press("wrong");
    browser.enter();
    browser.until_it_shows("#token-error", "This token is wrong.");
    browser.press(&read);
    browser.enter();
    browser.until_it_shows("#policy-list", "default");
    look_up(&browser, "user:1");
    click(&browser, "#client", "Ban …");
    browser.run("document.querySelector('#change [name=by]').value = 'ann'");
    click(&browser, "#change", "Ban");
    browser.until_it_shows("#change-error", "This token may only read.");
    click(&browser, "#change", "Cancel");

    click(&browser, "header", "Forget the token");
    browser.until_it_shows("#token-dialog", "A token is needed");
    browser.press(&full);
    browser.enter();
    browser.until_it_shows("#policy-list", "default");
    let kept = browser.run("return location.href + JSON.stringify(localStorage) + document.cookie");
    assert!(!kept.to_string().contains(&full), "the token is in this tab alone: {kept}");
    // It is asked for once in a tab.
    browser.open(&served.page);
    browser.until_it_shows("#policy-list", "default");
}

#[test]
#[ignore = "make test-real"]
fn a_process_or_a_store_that_is_away_is_said_to_be() {
    let mut redis = Server::start();
    let mut served = Served::by(in_memory().set("store.url", &redis.url()));
    let browser = shown(&served, 1280, "light");
    redis.kill();
    until("Redis is given up", || {
        served.status();
        browser.text("#notices").contains("Redis has not answered for ")
    });
    browser.until_it_shows("#figures", "Redis is away");
    // Nobody knows, which is not the same as none.
    browser.run("document.dispatchEvent(new Event('changed'))");
    browser.until_it_shows("#changes", "They could not be read, and that is tried again.");
    assert!(!browser.text("#changes").contains("Nothing was changed"));
    assert!(served.tollgate.stop().success(), "a page that is open does not hinder it");
    browser.until_it_shows("#live", "not live");
    browser.until_it_shows("#ready", "No answer");
}

#[test]
#[ignore = "make test-real"]
fn the_page_is_for_phones_and_for_the_dark_and_breaks_no_rule_of_accessibility() {
    let served = Served::by(in_memory().set("policies.default.candidate", "1/52 weeks"));
    assert_eq!([(); 3].map(|()| served.status()), [200, 200, 429]);
    let long = format!("user:{}", "long".repeat(40));
    let ban = ["ban", &long, "--for", "1h", "--why", "a long reason, as people give them"];
    served.run(&ban);
    let mut backgrounds = Vec::new();
    for (width, scheme) in [(1280, "light"), (1280, "dark"), (360, "light"), (360, "dark")] {
        let browser = shown(&served, width, scheme);
        browser.until_it_shows("#overrides", "a long reason");
        look_up(&browser, "ip:127.0.0.1");
        click(&browser, "#client", "Explain");
        browser.until_it_shows("#client", "would be denied");
        let widths = browser.run(
            "const page = document.documentElement; return [page.scrollWidth, page.clientWidth]",
        );
        assert_eq!(widths[0], widths[1], "nothing is wider than the window");
        let wide = browser.run(
            "return [...document.querySelectorAll('main *')].filter((it) => it.getBoundingClientRect().right > innerWidth + 1 \
             && !it.closest('.scroll, .unseen')).map((it) => it.outerHTML.slice(0, 100))",
        );
        assert_eq!(wide, serde_json::json!([]));
        backgrounds.push(browser.run("return getComputedStyle(document.body).backgroundColor"));
        assert_accessible(&browser);
        click(&browser, "#client", "Ban …");
        assert_accessible(&browser);
    }
    assert_eq!(backgrounds[0], backgrounds[2]);
    assert_ne!(backgrounds[0], backgrounds[1]);
}

/// By axe-core, where `make test-real` could get it, and by what can be said without it.
fn assert_accessible(browser: &Browser) {
    let nameless = browser.run(
        "return [...document.querySelectorAll('button, input, a')].filter((it) => it.offsetParent && \
         !(it.textContent || it.labels?.[0]?.textContent || it.getAttribute('aria-label'))).map((it) => it.outerHTML)",
    );
    assert_eq!(nameless, serde_json::json!([]), "each control has a name");
    let parts = "return ['header', 'nav', 'main', 'h1'].map((it) => document.querySelectorAll(`body ${it}:not(article *)`).length)";
    assert_eq!(browser.run(parts), serde_json::json!([1, 1, 1, 1]));
    let built = std::env::current_exe().expect("a path to this binary");
    let tools = built.ancestors().map(|it| it.join("tools/axe-core/axe.min.js"));
    let Some(script) = tools.map(std::fs::read_to_string).find_map(Result::ok) else {
        println!("axe-core is not there, so its rules were not checked.");
        return;
    };
    let found = browser.run(&format!(
        "{script}; const found = await axe.run(document, {{ resultTypes: ['violations'] }}); \
         return found.violations.map((it) => `${{it.id}}: ${{it.nodes.map((node) => node.html + node.failureSummary).join(' ')}}`)"
    ));
    assert_eq!(found, serde_json::json!([]));
}
