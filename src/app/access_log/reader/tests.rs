use std::fs;
use std::io::Write as _;
use std::sync::mpsc;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

use super::*;

mod any_bytes;
mod samples;

/// 2024-05-01T12:00:00Z
const NOON: Millis = 1_714_564_800_000;

/// A log of `files` in a directory of their own.
struct Logs {
    directory: TempDir,
    options: ReadOptions,
}

impl Logs {
    fn new(files: &[&[u8]]) -> Self {
        let directory = TempDir::new().unwrap();
        let mut options = ReadOptions::default();
        for (index, bytes) in files.iter().enumerate() {
            let path = directory.path().join(format!("{index}.log"));
            fs::write(&path, bytes).unwrap();
            options.files.push(path);
        }
        Self { directory, options }
    }

    fn format(mut self, format: &str) -> Self {
        self.options.format = Some(format.parse().unwrap());
        self
    }

    fn fields(mut self, fields: &[&str]) -> Self {
        self.options.fields = fields.iter().map(|field| field.parse().unwrap()).collect();
        self
    }

    fn read(&self) -> (Vec<LoggedRequest>, LogSummary) {
        let mut log = AccessLog::open(&self.options).unwrap();
        let mut requests = Vec::new();
        while log.next_batch(&mut requests) {}
        assert!(requests.is_sorted_by_key(LoggedRequest::began_at));
        let summary = log.summary();
        assert_eq!(summary.requests, u64::try_from(requests.len()).unwrap());
        assert_eq!(summary.lines, summary.requests + summary.unparsed);
        assert_eq!(summary.first_at, requests.first().map(LoggedRequest::began_at));
        assert_eq!(summary.last_at, requests.last().map(LoggedRequest::began_at));
        let progress = log.progress();
        assert_eq!(Some(progress.bytes_read), progress.bytes_total);
        assert_eq!(progress.lines, summary.lines);
        (requests, summary)
    }

    /// Why it cannot be opened.
    fn refusal(&self) -> String {
        let error = AccessLog::open(&self.options).unwrap_err().to_string();
        error.replace(&self.directory.path().display().to_string(), "")
    }
}

/// A line of the Common Log Format, `at` milliseconds after noon.
fn line(at: Millis, path: &str) -> String {
    let second = at / 1_000;
    format!(
        "203.0.113.7 - - [01/May/2024:{:02}:{:02}:{:02} +0000] \"GET {path} HTTP/1.1\" 200 1\n",
        12 + second / 3_600,
        second / 60 % 60,
        second % 60
    )
}

fn targets(requests: &[LoggedRequest]) -> Vec<String> {
    requests.iter().map(|it| String::from_utf8_lossy(it.target()).into_owned()).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn files_in_any_order_are_merged_and_the_first_file_comes_first_at_the_same_time() {
    let files = [
        [line(20_000, "/c1"), line(40_000, "/e1"), line(41_000, "/g1")].concat(),
        [line(0, "/a2"), line(1_000, "/b2"), line(40_000, "/f2")].concat(),
        [line(20_000, "/d3")].concat(),
        String::new(),
    ];
    let (requests, summary) = Logs::new(&files.each_ref().map(|file| file.as_bytes())).read();
    assert_eq!(targets(&requests), ["/a2", "/b2", "/c1", "/d3", "/e1", "/f2", "/g1"]);
    assert_eq!(summary.out_of_order, 0);
    assert_eq!(summary.files.iter().map(|file| file.lines).collect::<Vec<_>>(), [3, 3, 1, 0]);
    assert_eq!(summary.files[3].format, "empty");
}

#[test]
fn hundreds_of_files_with_thousands_of_lines_are_merged() {
    // Half of them are of the same time, and the others follow one another.
    let file = |index: u64| -> String {
        let start = if index < 100 { 0 } else { (index - 100) * 60_000 };
        (0..60).map(|at| line(start + at * 1_000, &format!("/{index}"))).collect()
    };
    let files: Vec<String> = (0..200).map(file).collect();
    let files: Vec<&[u8]> = files.iter().map(|file| file.as_bytes()).collect();
    let (requests, summary) = Logs::new(&files).read();
    assert_eq!((requests.len(), summary.out_of_order), (12_000, 0));
    let first: Vec<String> = (0..=100).map(|index| format!("/{index}")).collect();
    assert_eq!(targets(&requests[..101]), first);
}

#[test]
fn at_the_same_time_the_first_file_comes_first_even_if_it_begins_later() {
    let files = [line(5_000, "/a5"), [line(0, "/b0"), line(5_000, "/b5")].concat()];
    let (requests, _) = Logs::new(&files.each_ref().map(|file| file.as_bytes())).read();
    assert_eq!(targets(&requests), ["/b0", "/a5", "/b5"]);
}

#[test]
fn a_file_that_is_replaced_by_an_earlier_one_does_not_turn_time_back() {
    let logs = Logs::new(&[line(0, "/a").as_bytes(), line(60_000, "/b").as_bytes()]);
    let mut log = AccessLog::open(&logs.options).unwrap();
    fs::write(&logs.options.files[1], line(0, "/c").replace("12:00:00", "11:00:00")).unwrap();
    let mut requests = Vec::new();
    while log.next_batch(&mut requests) {}
    assert_eq!(targets(&requests), ["/a", "/c"]);
    assert_eq!(requests[1].began_at(), NOON);
    assert_eq!(log.summary().out_of_order, 1);
}

#[test]
fn compression_is_known_by_the_first_bytes() {
    let text = [line(0, "/a"), line(1_000, "/b")].concat();
    let zstd = zstd::encode_all(text.as_bytes(), 3).unwrap();
    let members = [gzip(line(0, "/a").as_bytes()), gzip(line(1_000, "/b").as_bytes())].concat();
    let frames = [
        zstd::encode_all(line(0, "/a").as_bytes(), 3).unwrap(),
        zstd::encode_all(line(1_000, "/b").as_bytes(), 3).unwrap(),
    ];
    for bytes in [gzip(text.as_bytes()), zstd, members, frames.concat()] {
        let (requests, summary) = Logs::new(&[&bytes]).read();
        assert_eq!(targets(&requests), ["/a", "/b"]);
        assert_eq!(summary.files[0].cut_off, None);
    }
}

#[test]
fn what_is_before_the_end_of_a_compressed_file_that_is_cut_off_is_read() {
    let text: String =
        (0..50_000).map(|at| line(at * 10, &format!("/{}", at * at % 1_000_003))).collect();
    for bytes in [gzip(text.as_bytes()), zstd::encode_all(text.as_bytes(), 3).unwrap()] {
        let (requests, summary) = Logs::new(&[&bytes[..bytes.len() / 2]]).read();
        assert!((10_000..50_000).contains(&requests.len()), "{}", requests.len());
        assert!(summary.files[0].cut_off.is_some());
        assert_eq!(summary.unparsed, 0);
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named_with_the_cause() {
    let mut logs = Logs::new(&[]);
    logs.options.files.push(logs.directory.path().join("missing.log"));
    assert!(
        logs.refusal().starts_with("/missing.log cannot be opened: No such file"),
        "{}",
        logs.refusal()
    );
    logs.options.files = vec![logs.directory.path().to_owned()];
    assert_eq!(logs.refusal(), " cannot be opened: is a directory");
    assert!(Logs::new(&[b"hello\n"]).refusal().starts_with("/0.log has lines in no format"));
    assert!(Logs::new(&[b"\xfd7zXZ\0\0\0"]).refusal().contains("compressed by xz"));
    assert!(Logs::new(&[b"\x1f\x8b\x08"]).refusal().starts_with("/0.log cannot be read: "));
}

#[test]
fn a_line_that_is_too_long_is_not_parsed() {
    let long = line(1_000, &"x".repeat(70_000));
    let (requests, summary) =
        Logs::new(&[[line(0, "/a"), long, line(2_000, "/b")].concat().as_bytes()]).read();
    assert_eq!(targets(&requests), ["/a", "/b"]);
    assert_eq!((summary.unparsed, summary.first_unparsed[0].line), (1, 2));
    assert_eq!(summary.first_unparsed[0].text.len(), 200);
}

#[test]
fn a_log_that_is_dropped_early_lets_go_of_its_files() {
    let text: String = (0..100_000).map(|at| line(at, "/")).collect();
    let logs = Logs::new(&[text.as_bytes()]);
    let mut log = AccessLog::open(&logs.options).unwrap();
    let mut requests = Vec::new();
    assert!(log.next_batch(&mut requests));
    assert_eq!(requests.len(), MOST_REQUESTS);
    let held = Arc::downgrade(&log.bytes_read);
    drop(log);
    let (_sender, never) = mpsc::channel::<()>();
    for _ in 0..1_000 {
        if held.strong_count() == 0 {
            return;
        }
        let _ = never.recv_timeout(Duration::from_millis(10));
    }
    panic!("a thread still holds a file");
}

#[cfg(target_os = "linux")]
#[test]
fn what_can_be_read_only_once_is_read_whole() {
    use std::os::fd::AsRawFd as _;
    let text: String = (0..50_000).map(|at| line(at * 10, &format!("/{at}"))).collect();
    for bytes in [text.clone().into_bytes(), gzip(text.as_bytes())] {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let written = thread::spawn(move || writer.write_all(&bytes));
        let path = PathBuf::from(format!("/proc/self/fd/{}", reader.as_raw_fd()));
        let options = ReadOptions { files: vec![path], ..ReadOptions::default() };
        let mut log = AccessLog::open(&options).unwrap();
        let mut requests = Vec::new();
        while log.next_batch(&mut requests) {}
        assert_eq!((requests.len(), log.summary().unparsed), (50_000, 0));
        assert_eq!(requests[49_999].target(), b"/49999");
        assert_eq!(log.progress().bytes_total, None);
        assert!(log.progress().bytes_read > 0);
        written.join().unwrap().unwrap();
    }
}

#[test]
fn the_first_lines_that_are_not_parsed_are_those_of_the_first_file() {
    let bad = |name: &str| [line(0, "/"), format!("{name}\n").repeat(7)].concat();
    let (_, summary) = Logs::new(&[bad("a").as_bytes(), bad("b").as_bytes()]).read();
    let texts: String = summary.first_unparsed.iter().map(|line| line.text.as_str()).collect();
    assert_eq!((texts.as_str(), summary.unparsed), ("aaaaaaabbb", 14));
}
