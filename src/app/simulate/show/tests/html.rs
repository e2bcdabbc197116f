use super::extreme::extreme;
use super::forms::{all, written};
use super::samples;
use crate::app::simulate::report::Report;

fn page(report: &Report) -> String {
    written(|it| crate::app::simulate::show::html(report, it))
}

#[test]
fn what_comes_from_the_log_stays_text() {
    let page = page(&extreme());
    assert!(!page.contains("<script"));
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(!page.contains("\"'&"));
    assert!(!page.contains(|letter: char| letter.is_control() && letter != '\n'));
    assert!(!page.contains('\u{202e}'));
}

/// Each of the places of a report that a log or a file can write to.
#[test]
fn no_place_takes_markup() {
    type Set = fn(&mut Report, String);
    let places: [Set; 16] = [
        |it, name| it.caveats[0] = name,
        |it, name| it.log.files[0].name = name,
        |it, name| it.log.files[0].format = name,
        |it, name| it.log.files[0].cut_off = Some(name),
        |it, name| it.log.first_unparsed[0].file = name,
        |it, name| it.log.first_unparsed[0].text = name,
        |it, name| it.log.first_unparsed[0].reason = name,
        |it, name| it.candidate.config[0] = name,
        |it, name| it.candidate.policies.values_mut().for_each(|it| it.quota.clone_from(&name)),
        |it, name| it.candidate.policies.values_mut().for_each(|it| it.algorithm.clone_from(&name)),
        |it, name| it.candidate.policies.values_mut().for_each(|it| it.key.clone_from(&name)),
        |it, name| {
            for policy in it.candidate.policies.values_mut() {
                policy.worst[0].client.clone_from(&name);
            }
        },
        |it, name| {
            for policy in it.candidate.policies.values_mut() {
                policy.longest_closed_client = Some(name.clone());
            }
        },
        |it, name| {
            let policy = it.candidate.policies.remove("default").expect("there is one");
            it.candidate.policies.insert(name, policy);
        },
        |it, name| {
            let difference = it.difference.as_mut().expect("there is one");
            difference.clients_newly_denied[0].client = name;
        },
        |it, name| it.current.as_mut().expect("there is one").config[0] = name,
    ];
    for (number, set) in places.into_iter().enumerate() {
        let mut report = samples::compared();
        set(&mut report, "<b onclick=\"'&>".to_owned());
        let page = page(&report);
        assert!(!page.contains("<b "), "{number}");
        assert!(page.contains("&lt;b onclick=&quot;&#39;&amp;&gt;"), "{number}");
    }
}

#[test]
fn the_page_needs_nothing_else() {
    for report in all() {
        let page = page(&report);
        assert!(page.contains(
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">"
        ));
        let page = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
        for forbidden in ["http://", "https://", "url(", "@import", " src=", " href="] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
    }
}

#[test]
fn the_page_can_be_read_aloud() {
    let page = page(&samples::compared());
    assert!(page.starts_with("<!doctype html>\n<html lang=\"en\">"));
    assert!(page.contains("<meta name=\"viewport\""));
    assert_eq!(page.matches("<h1>").count(), 1);
    assert_eq!(page.matches("<svg role=\"img\"").count(), 3);
    assert_eq!(page.matches("<title>").count(), 1 + 3);
    assert!(page.contains("<title>Requests and denials under login, from 2026-11-26 00:00:00 to"));
    assert_eq!(page.matches("<table>").count(), page.matches("<caption>").count());
}

#[test]
fn elements_end() {
    for report in all() {
        let page = page(&report);
        for name in [
            "section", "table", "tr", "td", "dl", "div", "figure", "svg", "p", "ul", "ol", "li",
            "dd", "span", "h2",
        ] {
            let begins = [" ", ">"].map(|end| page.matches(&format!("<{name}{end}")).count());
            let ends = page.matches(&format!("</{name}>")).count();
            assert_eq!(begins.iter().sum::<usize>(), ends, "{name}");
        }
    }
}

#[test]
fn a_bar_shows_the_share_of_the_most() {
    let page = page(&samples::a_day());
    for (denied, percent) in [(640, 100), (310, 48), (97, 15), (12, 1)] {
        let cell = format!(
            "{denied}<span class=\"bar\"><span style=\"width:{percent}%\"></span></span></td>"
        );
        assert!(page.contains(&cell), "{denied}");
    }
    let mut much = samples::a_day();
    let default = much.candidate.policies.get_mut("default").expect("there is one");
    default.worst[0].denied = 1_000_000;
    assert!(self::page(&much).contains("12<span class=\"bar\"><span style=\"width:1%\">"));
}

#[test]
fn two_configurations_are_compared() {
    let page = page(&samples::compared());
    let row = [("default", ["812", "1,204", "17", "17"]), ("login", ["–", "14", "–", "2"])];
    for (policy, numbers) in row {
        let cells = numbers.map(|it| format!("<td class=\"number\">{it}</td>\n")).concat();
        assert!(page.contains(&format!("{policy}</th>{cells}</tr>")), "{policy}");
    }
    assert!(page.contains("only the candidate denies. 3 more clients are not listed.</caption>"));
    assert!(page.contains("only the current configuration denies.</caption>"));
    assert!(page.contains("1.22 %; currently 812"));
    assert!(page.contains("<dt>Candidate</dt>\n<dd>candidate.toml</dd>"));
    assert!(page.contains("<dt>Current configuration</dt>\n<dd>current.toml</dd>"));
    assert!(!self::page(&samples::nothing()).contains("Access log"));
}

#[test]
fn there_is_a_plot_of_what_there_is() {
    for without in [samples::nothing(), samples::one_request()] {
        assert!(!page(&without).contains("<svg"));
    }
    let mut same = samples::a_day();
    let whole = same.candidate.timeline.clone();
    same.candidate.policies.values_mut().for_each(|it| it.timeline = whole.clone());
    assert_eq!(page(&same).matches("<svg").count(), 1);
    let admitted = page(&samples::nothing_denied());
    assert!(admitted.contains("requests in 5 min"));
    assert!(!admitted.contains("stroke=\"#D2431C\"/"));
    let denied = page(&samples::a_day());
    assert!(denied.contains("denials in 5 min"));
    for label in ["03:00", "21:00", "11-26", "11-27"] {
        assert!(denied.contains(&format!("\n{label}\n")), "{label}");
    }
}

/// The style sheet replaces the colours of plots by name.
#[test]
fn each_colour_of_a_plot_has_one_of_the_page() {
    let page = page(&samples::a_day());
    let (style, body) = page.split_once("</style>").expect("there is a style sheet");
    let mut number = 0;
    for attribute in ["fill=\"#", "stroke=\"#"] {
        for (at, _) in body.match_indices(attribute) {
            let end = at + attribute.len() + 7;
            let selector = format!(".plot [{}]", &body[at..end]);
            assert!(style.contains(&selector), "{selector}");
            number += 1;
        }
    }
    assert!(number > 10);
}
