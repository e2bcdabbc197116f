//! Each Lua file begins with a header that describes its inputs and replies. Here it is compared with the
//! body.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// What a number is counted in.
const UNITS: [&str; 9] =
    ["units", "ms", "windows", "integers", "parts", "entries", "policies", "requests", "denials"];

/// How what is not a number is described.
const NO_NUMBERS: [&str; 7] =
    ["whether ", "a string", "a Lua pattern", "fixed-window,", "a member", "units; ", "nothing: "];

/// One of the files, in two parts.
struct File {
    name: String,
    header: String,
    body: String,
}

/// A line of a header: one or more names, and what they mean.
struct Line {
    names: Vec<String>,
    meaning: String,
}

impl File {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).expect("a file of text");
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let header = text.strip_prefix("--[[\n");
        let (header, body) = header
            .and_then(|rest| rest.split_once("\n]]\n"))
            .unwrap_or_else(|| panic!("{name}.lua does not begin with a header"));
        Self { name, header: header.to_owned(), body: body.to_owned() }
    }

    /// The lines of one section of the header that name something; a name and its meaning stand at
    /// least two spaces apart.
    fn section(&self, title: &str) -> Vec<Line> {
        let within = self.header.lines().skip_while(|line| line.strip_suffix(':') != Some(title));
        let within = within.skip(1).take_while(|line| line.starts_with(' '));
        let of_line = |line: &str| {
            let (names, meaning) = line.trim().split_once("  ")?;
            let names = names.split(", ").map(str::to_owned).collect();
            Some(Line { names, meaning: meaning.trim().to_owned() })
        };
        within.filter_map(of_line).collect()
    }

    fn names(&self, section: &str) -> Vec<String> {
        self.section(section).into_iter().flat_map(|line| line.names).collect()
    }

    /// The functions of the body, by name, with their parameters.
    fn functions(&self) -> Vec<(String, Vec<String>)> {
        let of_text = |text: &str| {
            let (name, rest) = text.split_once('(')?;
            let (parameters, _) = rest.split_once(')')?;
            let parameters = parameters.split(',').map(str::trim).filter(|it| !it.is_empty());
            Some((name.to_owned(), parameters.map(str::to_owned).collect()))
        };
        self.body.split("\nlocal function ").skip(1).filter_map(of_text).collect()
    }

    fn is_algorithm(&self) -> bool {
        !self.is_script() && !["constants", "shared", "counts"].contains(&self.name.as_str())
    }

    /// Whether it is what Redis runs, the others being what that stands on.
    fn is_script(&self) -> bool {
        ["acquire", "refund", "slots", "overrides"].contains(&self.name.as_str())
    }

    /// Whether `name` is a word of the body.
    fn reads(&self, name: &str) -> bool {
        let is_between = |c: char| !c.is_alphanumeric() && c != '_' && c != '.';
        self.body.split(is_between).any(|word| word == name)
    }

    /// The names of the functions that other files call.
    fn interface(&self) -> Vec<String> {
        let functions = self.functions().into_iter().map(|(name, _)| name);
        if !self.is_algorithm() {
            return functions.collect();
        }
        let last = self.body.lines().last().unwrap_or_default();
        let steps = last.strip_prefix("return ");
        let steps = steps.unwrap_or_else(|| panic!("{}.lua ends {last:?}", self.name)).split(", ");
        let functions: BTreeSet<String> = functions.collect();
        steps
            .map(str::to_owned)
            .inspect(|name| assert!(functions.contains(name), "{}.lua: {name}", self.name))
            .collect()
    }
}

fn files() -> Vec<File> {
    let lua = Path::new(env!("CARGO_MANIFEST_DIR")).join("lua");
    let entries = fs::read_dir(lua).expect("the Lua files");
    let paths = entries.map(|entry| entry.expect("a file").path());
    let files: Vec<File> = paths
        .filter(|path| path.extension().is_some_and(|it| it == "lua"))
        .map(|path| File::read(&path))
        .collect();
    assert_eq!(files.len(), 14, "4 scripts, 3 parts of them, 6 algorithms, and penalties");
    files
}

fn set(names: impl IntoIterator<Item = String>) -> BTreeSet<String> {
    names.into_iter().collect()
}

#[test]
fn a_header_names_the_rust_that_the_file_mirrors() {
    for file in files() {
        let first = file.header.lines().next().unwrap_or_default();
        assert!(
            first.starts_with(&format!("{}: ", file.name)),
            "{}.lua begins {first:?}",
            file.name
        );
        let mirrors = file.header.lines().find_map(|line| line.strip_prefix("Mirrors "));
        let mirrors = mirrors.unwrap_or_else(|| panic!("{}.lua mirrors nothing", file.name));
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(mirrors);
        assert!(path.is_file(), "{}.lua mirrors {mirrors}, which does not exist", file.name);
    }
}

#[test]
fn the_arguments_are_read_in_the_order_that_the_header_gives() {
    let file = files().into_iter().find(|file| file.name == "acquire").expect("acquire.lua");
    assert_eq!(arguments_read(&file, "arguments"), file.names("Arguments"));
    assert_eq!(arguments_read(&file, "calendars"), file.names("Calendars"));
}

#[test]
fn the_arguments_of_a_refund_are_those_that_the_header_gives() {
    let file = files().into_iter().find(|file| file.name == "refund").expect("refund.lua");
    let read = file.body.lines().filter_map(|line| {
        let (name, value) = line.strip_prefix("local ")?.split_once(" = ")?;
        value.contains("ARGV[").then_some((name, value))
    });
    let names = file.names("Arguments");
    assert_eq!(read.clone().map(|(name, _)| name.to_owned()).collect::<Vec<_>>(), names);
    for (number, (name, value)) in read.enumerate() {
        assert!(value.contains(&format!("ARGV[{}]", number + 1)), "{name} = {value}");
    }
}

/// What the body unpacks of `source`, in order; `at` is where it goes on, and `after` where it would after a look ahead.
fn arguments_read(file: &File, source: &str) -> Vec<String> {
    let body = file.body.replace("=\n    unpack(", "= unpack(").replace("{ unpack(", "unpack(");
    let unpacked = body.lines().filter_map(|line| line.trim().split_once(" = unpack("));
    let of_source = |given: &str| given.split([',', ')']).any(|it| it.trim() == source);
    let unpacked = unpacked.filter(|(_, given)| of_source(given));
    let unpacked = unpacked.filter(|(names, _)| !names.ends_with(", after"));
    let names = unpacked.flat_map(|(names, _)| names.trim_start_matches("local ").split(", "));
    names.filter(|name| *name != "at" && *name != "calendars_at").map(str::to_owned).collect()
}

#[test]
fn the_reply_is_written_in_the_order_that_the_header_gives() {
    let file = files().into_iter().find(|file| file.name == "acquire").expect("acquire.lua");
    let written =
        file.body.lines().filter_map(|line| line.trim().strip_prefix("reply[")?.split_once("] = "));
    let written = written.map(|(_, value)| value.trim_end_matches(" or 0").to_owned());
    let first = file.body.lines().find_map(|line| line.split_once(" = { ")?.1.split(", ").next());
    let written: Vec<String> = first.map(str::to_owned).into_iter().chain(written).collect();
    assert_eq!(written, file.names("Reply"));
}

#[test]
fn the_inputs_are_the_parameters_of_the_functions() {
    for file in files().iter().filter(|file| !file.is_script()) {
        let taken = file.functions().into_iter().flat_map(|(_, parameters)| parameters);
        let mut taken = set(taken);
        if file.is_algorithm() {
            // What the whole file is a function of; not each of them reads all of it.
            let given = match file.name.as_str() {
                "penalty" => &["denials", "within", "ban", "longest_ban", "now"][..],
                "calendar_window" => &["units", "starts", "now"],
                _ => &["units", "window", "burst", "now", "holder"],
            };
            let given = given.iter().map(|name| (*name).to_owned());
            taken.extend(given.filter(|name| file.reads(name)));
        }
        assert_eq!(set(file.names("Inputs")), taken, "{}.lua", file.name);
    }
}

#[test]
fn the_replies_are_the_functions_of_the_file() {
    for file in files().iter().filter(|file| !file.is_script()) {
        assert_eq!(file.names("Reply"), file.interface(), "{}.lua", file.name);
    }
}

#[test]
fn the_state_is_what_is_parsed_and_what_is_written() {
    // A sorted set is not packed.
    let packs = |file: &&File| file.is_algorithm() && file.name != "in_flight";
    for file in files().iter().filter(packs) {
        let state = file.names("State");
        let body = file.body.replace("=\n    unpacked(", "= unpacked(");
        let read = [" = unpacked(", " = stored("];
        let parsed = |line| read.iter().find_map(|it| str::split_once(line, it));
        let parsed = body.lines().find_map(parsed);
        let parsed = parsed.unwrap_or_else(|| panic!("{}.lua parses nothing", file.name)).0;
        assert_names(file, &state, parsed.trim().trim_start_matches("local "));

        let layouts = [5, 7].map(|size| format!("I{size}{}", "I7".repeat(state.len() - 1)));
        let packs = layouts.map(|layout| format!("pack('>{layout}', "));
        let written = packs.iter().find_map(|it| file.body.rsplit_once(it));
        let written = written.unwrap_or_else(|| panic!("{}.lua writes no state", file.name)).1;
        assert_names(file, &state, written.split_once(')').expect("the call ends").0);
    }
}

/// That `variables`, as the body lists them, are `names`, each perhaps with a word before: of the
/// state as it is stored, say.
#[track_caller]
fn assert_names(file: &File, names: &[String], variables: &str) {
    let variables: Vec<&str> = variables.split(", ").collect();
    let is = |(name, variable): (&String, &&str)| {
        variable == name || variable.strip_suffix(name).is_some_and(|start| start.ends_with('_'))
    };
    assert!(
        names.len() == variables.len() && names.iter().zip(&variables).all(is),
        "{}.lua: {names:?} are {variables:?}",
        file.name
    );
}

#[test]
fn every_number_has_a_unit() {
    for file in files() {
        for section in ["Arguments", "Calendars", "Inputs", "State", "Reply"] {
            let lines = file.section(section);
            assert!(
                !lines.is_empty()
                    || ["Arguments", "Calendars"].contains(&section)
                    || !file.is_algorithm(),
                "{}.lua has no {section}",
                file.name
            );
            for Line { names, meaning } in lines {
                let mut words = meaning.split(|c: char| !c.is_alphanumeric());
                let fine = NO_NUMBERS.iter().any(|start| meaning.starts_with(start))
                    || words.any(|word| UNITS.contains(&word));
                assert!(fine, "{}.lua: {names:?} is a number of what? {meaning:?}", file.name);
            }
        }
    }
}
