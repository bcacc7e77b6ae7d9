//! Bad input at the external API, over real TLS: files that are not what they say, compression that
//! explodes, clients without manners. Each is told what is wrong, and nothing else suffers.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::{fs, process::Command};

use serde_json::{Value, json};
use tresor_tests::{Answer, Crowd, Site, Tenant, is_long, rude, run};

const RECORDS: &str = "/v1/collections/customers/records";
/// What a process may grow by under a bomb or a deaf client: some uploads' worth of buffers.
const GROWTH_KIB_MAX: u64 = 256 * 1024;

struct Setting {
    site: Site,
    tenant: Tenant,
}

impl Setting {
    fn new() -> Self {
        let site = Site::start_with_log("sled", "info");
        let tenant = site.tenant("burg");
        Self { site, tenant }
    }

    fn post(&self, headers: &[&str], query: &str, body: &[u8]) -> Answer {
        let file = self.site.path("body");
        fs::write(&file, body).unwrap();
        let data = format!("@{}", file.display());
        let mut arguments = vec!["--data-binary", data.as_str()];
        arguments.extend(headers.iter().flat_map(|header| ["-H", *header]));
        self.site.curl(&self.tenant, &format!("{RECORDS}{query}"), &arguments)
    }

    fn csv(&self, body: &[u8]) -> Answer {
        self.post(&["Content-Type: text/csv"], "?id_field=nr", body)
    }

    fn ndjson(&self, body: &[u8]) -> Vec<Value> {
        self.post(&["Content-Type: application/x-ndjson"], "?id_field=nr", body).lines()
    }

    fn plain(&self, id: &str) -> Answer {
        self.site.curl(&self.tenant, &format!("{RECORDS}/{id}?reveal=plain"), &[])
    }

    /// The refusal of a whole upload.
    fn refused(&self, body: &[u8]) -> (u16, String, String) {
        let answer = self.csv(body);
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        (answer.status, answer.code(), detail)
    }

    fn rudely(&self, manner: &str, number: usize) -> Value {
        let mut command = rude(&self.site, &self.tenant, manner, number);
        run(&mut command, self.tenant.customer_token()).ok().json()
    }

    /// The most memory the edge ever had, in KiB.
    fn peak_kib(&mut self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.site.edge().id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }

    /// That somebody with manners is served.
    fn serves(&self) {
        let limits = self.site.curl(&self.tenant, "/v1/limits", &[]);
        assert_eq!(limits.status, 200, "{}", limits.body);
    }
}

fn statuses(lines: &[Value]) -> Vec<&str> {
    lines.iter().filter_map(|line| line["status"].as_str()).collect()
}

#[test]
fn text_is_read_as_it_is_declared() {
    let setting = Setting::new();
    let latin = b"nr;Stra\xDFe\n1;J\xF6rgs Gasse\n";
    let declared = ["Content-Type: text/csv; charset=ISO-8859-1"];
    let lines = setting.post(&declared, "?id_field=nr", latin).lines();
    assert_eq!(statuses(&lines), ["stored"]);
    assert_eq!(setting.plain("1").json()["record"]["Straße"], "Jörgs Gasse");
    let (status, code, detail) = setting.refused(latin);
    assert_eq!((status, code.as_str()), (400, "invalid_request"));
    assert!(detail.contains("text/csv; charset=iso-8859-1"), "{detail}");

    let lines = setting.csv(b"nr;ort\n2;K\xF6ln\n3;Burg\n").lines();
    assert_eq!(statuses(&lines), ["rejected", "stored"]);
    assert_eq!(lines[0]["problem"]["detail"], "the row is not valid UTF-8");
    let lines = setting.ndjson(b"{\"nr\":\"4\",\"ort\":\"K\xF6ln\"}\n{\"nr\":\"5\"}\n");
    assert_eq!(statuses(&lines), ["rejected", "stored"]);

    let windows = b"\xEF\xBB\xBFnr,note\r\n6,\"one\r\ntwo, \"\"three\"\"\"\r\n7,x\r\n";
    let lines = setting.csv(windows).lines();
    assert_eq!(statuses(&lines), ["stored", "stored"]);
    assert_eq!(lines[1]["line"], 4);
    assert_eq!(setting.plain("6").json()["record"]["note"], "one\r\ntwo, \"three\"");
    let lines = setting.ndjson(b"\xEF\xBB\xBF{\"nr\":\"8\"}\r\n\r\n{\"nr\":\"9\"}\r\n");
    assert_eq!(statuses(&lines), ["stored", "stored"]);
}

#[test]
fn a_header_that_names_nothing_refuses_the_upload() {
    let setting = Setting::new();
    let wide = (0..257).map(|i| format!("f{i}")).collect::<Vec<_>>().join(";");
    for (body, expected) in [
        (&b""[..], "the upload is empty"),
        (b"\xEF\xBB\xBF\r\n", "the upload is empty"),
        (b"nr;ort;nr\n1;2;3\n", "column 3 of the header repeats a name"),
        (b"nr;;ort\n1;2;3\n", "column 2 of the header has no valid name"),
        (b"nr\tort\n1\t2\n", "the header row has a tab; columns are separated by ; or ,"),
    ] {
        let expected = (400, "invalid_request".to_owned(), expected.to_owned());
        assert_eq!(setting.refused(body), expected);
    }
    let too_wide = "the header row has more than 256 columns".to_owned();
    assert_eq!(setting.refused(wide.as_bytes()), (413, "too_large".to_owned(), too_wide));
    for content_type in ["application/pdf", "text/csv; charset=utf-16", "application/xml", ""] {
        let answer = setting.post(&[&format!("Content-Type: {content_type}")], "", b"{}");
        let told = (answer.status, answer.code());
        assert_eq!(told, (415, "unsupported_media_type".to_owned()), "{content_type}");
    }
    let headers = ["Content-Type: text/csv", "Content-Encoding: br"];
    assert_eq!(setting.post(&headers, "", b"a\n1\n").status, 415);
}

#[test]
fn rows_that_cannot_be_kept_are_refused_alone() {
    let setting = Setting::new();
    let lines = setting.csv(b"nr;ort\n1;a\0b\n2\n3;x;y\n4;\"x\n5;Burg\n").lines();
    assert_eq!(statuses(&lines), ["rejected", "rejected", "rejected", "rejected", "stored"]);
    assert_eq!(lines[0]["problem"]["violations"][0]["field"], "ort");
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let rows = [
        format!("{{\"nr\":\"10\",\"a\":{}}}", nested(15)),
        format!("{{\"nr\":\"11\",\"a\":{}}}", nested(16)),
        format!("{{\"nr\":\"12\",\"a\":{}}}", nested(100_000)),
        "{\"nr\":\"13\",\"a\":\"\\u0000\"}".to_owned(),
        "{\"nr\":\"14\",\"a\":1,\"a\":2}".to_owned(),
        "{\"nr\":\"15\",\"a\":\"\\ud800\"}".to_owned(),
        "[1]".to_owned(),
        "{\"nr\":\"16\"}".to_owned(),
    ];
    let lines = setting.ndjson(rows.join("\n").as_bytes());
    let told = statuses(&lines);
    assert_eq!((told[0], told[7]), ("stored", "stored"));
    assert!(told[1..7].iter().all(|status| *status == "rejected"), "{told:?}");
}

#[test]
fn nested_names_and_the_literals_of_numbers_are_kept() {
    let setting = Setting::new();
    let record = "{\"nr\":\"1\",\"a/b\":{\"c~d\":[1.10,1e400,-0,12345678901234567890123,{\"\":null}]},\
                  \"/x\":{},\"y\":[],\"z\":true}";
    let stored =
        setting.post(&["Content-Type: application/json"], "?id_field=nr", record.as_bytes());
    assert_eq!(stored.status, 201, "{}", stored.body);
    let read = setting.plain("1");
    let fields = read.json()["fields"].as_array().unwrap().clone();
    let names: Vec<&str> = fields.iter().map(|field| field["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"/a~1b/c~0d/0"), "{names:?}");
    for literal in ["1.10", "1e400", "-0", "12345678901234567890123", "{\"\":null}"] {
        assert!(read.body.contains(literal), "{literal}: {}", read.body);
    }
    assert_eq!(read.json()["record"]["/x"], json!({}));
}

/// A zstd frame (RFC 8878 §3.1.1) of blocks that are neither compressed nor checked.
fn zstd(blocks: &[(u8, usize, Vec<u8>)]) -> Vec<u8> {
    // Magic number, no content size, a window of 128 KiB.
    let mut bytes = vec![0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x38];
    for (at, (kind, size, content)) in blocks.iter().enumerate() {
        let is_last = usize::from(at + 1 == blocks.len());
        let header = is_last | usize::from(*kind) << 1 | size << 3;
        bytes.extend_from_slice(&u32::try_from(header).unwrap().to_le_bytes()[..3]);
        bytes.extend_from_slice(content);
    }
    bytes
}

/// Bytes through gzip.
fn gzip(command: &str) -> Vec<u8> {
    let output = Command::new("sh").args(["-c", command]).output().unwrap();
    assert!(output.status.success());
    output.stdout
}

#[test]
fn compressed_uploads_are_read_and_bombs_refused_in_bounded_memory() {
    let mut setting = Setting::new();
    let before = setting.peak_kib();
    let csv = b"nr;ort\n1;Burg\n".to_vec();
    let packed = [
        ("gzip", gzip("printf 'nr;ort\\n1;Burg\\n' | gzip")),
        ("zstd", zstd(&[(0, csv.len(), csv)])),
    ];
    for (encoding, body) in packed {
        let headers = ["Content-Type: text/csv", &format!("Content-Encoding: {encoding}")];
        let lines = setting.post(&headers, "?id_field=nr", &body).lines();
        assert_eq!(statuses(&lines), ["stored"], "{encoding}");
        let cut = setting.post(&headers, "?id_field=nr", &body[..body.len() / 2]);
        assert!(cut.status == 400 || cut.body.contains("\"complete\":false"), "{}", cut.body);
    }
    // Some hundred megabytes of letters and of lines, each from some kilobytes.
    let letters: Vec<_> = (0..2048).map(|_| (1, 128 * 1024, vec![b'x'])).collect();
    let blanks = gzip("head -c 100000000 /dev/zero | tr '\\0' '\\n' | gzip -9");
    let letters = zstd(&letters);
    for (content_type, encoding, body) in
        [("text/csv", "gzip", &blanks), ("application/x-ndjson", "zstd", &letters)]
    {
        let headers =
            [&*format!("Content-Type: {content_type}"), &format!("Content-Encoding: {encoding}")];
        let answer = setting.post(&headers, "", body);
        let is_told = answer.body.contains("unpacks to more than 200 times its size");
        assert!(is_told, "{content_type}: {} {}", answer.status, answer.body);
    }
    let growth = setting.peak_kib() - before;
    assert!(growth < GROWTH_KIB_MAX, "it grew by {growth} KiB");
    setting.serves();
}

#[test]
fn a_client_that_goes_half_way_has_stored_what_it_was_told() {
    let setting = Setting::new();
    let told = setting.rudely("half_way", 400);
    let told = told.as_array().unwrap();
    assert!(told.len() >= 190, "{}", told.len());
    let page = setting.site.curl(&setting.tenant, &format!("{RECORDS}?page_size=1000"), &[]).json();
    let records = page["records"].as_array().unwrap();
    let stored: Vec<&Value> = records.iter().map(|record| &record["id"]).collect();
    for id in told {
        assert!(stored.contains(&id), "{id} was acknowledged");
    }
    setting.serves();
}

#[test]
fn a_client_that_does_not_read_is_held_and_costs_no_memory() {
    let mut setting = Setting::new();
    let before = setting.peak_kib();
    let told = setting.rudely("deaf", 512 * 1024 * 1024);
    assert_eq!(told["held"], true, "{told}");
    let growth = setting.peak_kib() - before;
    assert!(growth < GROWTH_KIB_MAX, "it grew by {growth} KiB after {told}");
    setting.serves();
}

#[test]
fn one_upload_too_many_is_shed_and_says_when_to_come_back() {
    let setting = Setting::new();
    let other = setting.site.tenant("herne");
    // A quarter of 128 seats is a tenant's.
    let crowd = Crowd::begin(&setting.site, &setting.tenant, 32);
    assert_eq!(crowd.statuses(), ["200"; 32]);

    let shed = setting.site.curl(&setting.tenant, "/v1/limits", &["--include"]);
    assert_eq!(shed.status, 503, "{}", shed.body);
    assert!(shed.body.contains("retry-after: 1"), "{}", shed.body);
    assert!(shed.body.contains("\"code\":\"overloaded\""), "{}", shed.body);
    assert_eq!(setting.site.curl(&other, "/v1/limits", &[]).status, 200);
    drop(crowd);
    // A seat is free when its answer has been written.
    let is_served = || setting.site.curl(&setting.tenant, "/v1/limits", &[]).status == 200;
    assert!((0..100).any(|_| is_served()), "the seats stay taken");
}

#[test]
fn headers_without_measure_are_refused() {
    let setting = Setting::new();
    for protocol in ["--http1.1", "--http2"] {
        let long = format!("X-Long: {}", "x".repeat(17 * 1024));
        let answer = setting.site.curl(&setting.tenant, "/v1/limits", &[protocol, "-H", &long]);
        assert_eq!((answer.status, answer.code().as_str()), (431, "too_large"), "{protocol}");
        let longer = format!("X-Long: {}", "x".repeat(90 * 1024));
        let answer = setting.site.curl(&setting.tenant, "/v1/limits", &[protocol, "-H", &longer]);
        assert!([0, 431].contains(&answer.status), "{protocol}: {}", answer.status);
        let many: Vec<String> = (0..5_000).map(|at| format!("X-{at}: y")).collect();
        let many: Vec<&str> = many.iter().flat_map(|header| ["-H", header]).collect();
        let arguments = [&[protocol][..], &many].concat();
        let answer = setting.site.curl(&setting.tenant, "/v1/limits", &arguments);
        assert!([0, 431].contains(&answer.status), "{protocol}: {}", answer.status);
        setting.serves();
    }
}

#[test]
fn streams_without_measure_are_cut() {
    let mut setting = Setting::new();
    let before = setting.peak_kib();
    let told = setting.rudely("rapid_reset", 20_000);
    assert_eq!(told["cut"], true, "{told}");
    let told = setting.rudely("many_streams", 200);
    let is_bounded = told["cut"] == true || told["refused"].as_u64() >= Some(72);
    assert!(is_bounded, "{told}");
    let growth = setting.peak_kib() - before;
    assert!(growth < GROWTH_KIB_MAX, "it grew by {growth} KiB");
    setting.serves();
}

#[test]
fn a_client_that_dribbles_is_cut() {
    // The limit is half a minute of silence.
    if !is_long() {
        return;
    }
    let setting = Setting::new();
    let told = setting.rudely("slow", 0);
    assert_eq!((&told["header_cut"], &told["body_told"]), (&json!(true), &json!(true)), "{told}");
    setting.serves();
}
