//! What another process does, and what a process leaves behind when it ends badly.
//!
//! The other process is this test program again, told by an environment variable to run one
//! scenario; it reports each acknowledgement with one `write` to its standard output.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write as _};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use crate::store::conformance::{change, put, record, records};
use crate::store::{Existence, Outcome, Store, StoreEngine, StoreError, open_database};

const ENGINE: &str = "TRESOR_TEST_ENGINE";
const SCENARIO: &str = "TRESOR_TEST_SCENARIO";
const PLACE: &str = "TRESOR_TEST_PLACE";
const ON_DISK: [StoreEngine; 2] = [StoreEngine::Sled, StoreEngine::Redb];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_other_process() {
    let read = |name| std::env::var_os(name).map(|it| it.to_string_lossy().into_owned());
    let (Some(engine), Some(scenario), Some(place)) = (read(ENGINE), read(SCENARIO), read(PLACE))
    else {
        // Not told to be another process: the first scenario, in a place of its own.
        let directory = tempfile::tempdir().expect("a directory");
        return write_some(&open("Redb", &directory.path().join("database")).await).await;
    };
    let place = Path::new(&place);
    match scenario.as_str() {
        "write" => write_some(&open(&engine, place).await).await,
        "write for ever" => write_for_ever(open(&engine, place).await).await,
        "lose a sync" => lose_a_sync(open(&engine, place).await).await,
        "fill the disk" => fill_the_disk(&engine, place).await,
        "write on and die" => write_on_and_die(open(&engine, place).await).await,
        "open" => {
            let kind = parse(&engine);
            let opened = open_database(kind, place.to_owned(), Existence::MustExist).await;
            assert_eq!(opened.err(), Some(StoreError::InUse));
        }
        other => panic!("no scenario {other}"),
    }
}

fn parse(engine: &str) -> StoreEngine {
    if engine == "Sled" { StoreEngine::Sled } else { StoreEngine::Redb }
}

async fn open(engine: &str, place: &Path) -> Arc<dyn Store> {
    let opened = open_database(parse(engine), place.to_owned(), Existence::Create).await;
    opened.expect("it opens")
}

/// Writes one row and says so once it is acknowledged.
async fn write_row(store: &dyn Store, key: &[u8], bytes: usize) -> Result<(), StoreError> {
    let outcomes = store.apply(vec![change(vec![put(key, &vec![7; bytes])])]).await?;
    assert_eq!(outcomes, [Outcome::Applied]);
    let mut line = b"acknowledged ".to_vec();
    line.extend_from_slice(key);
    line.push(b'\n');
    std::io::stdout().write_all(&line).expect("it reports");
    Ok(())
}

async fn write_some(store: &Arc<dyn Store>) {
    for row in 0..25 {
        let bytes = if row % 5 == 0 { 262_144 } else { 300 };
        let key = format!("row {row}");
        write_row(store.as_ref(), key.as_bytes(), bytes).await.expect("it writes");
    }
    store.close().await.expect("it closes");
}

async fn write_for_ever(store: Arc<dyn Store>) {
    let writers = (0..8).map(|writer| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for row in 0.. {
                let bytes = if row % 50 == 0 { 100_000 } else { 300 };
                let key = format!("{writer}/{row}");
                write_row(store.as_ref(), key.as_bytes(), bytes).await.expect("it writes");
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("it writes");
    }
}

/// Runs where one sync of many fails: nothing is answered after that.
async fn lose_a_sync(store: Arc<dyn Store>) {
    for row in 0..200 {
        let written = write_row(store.as_ref(), format!("row {row}").as_bytes(), 300).await;
        let Err(error) = written else { continue };
        assert_eq!(error, StoreError::Quarantined);
        let read = store.read(vec![record(b"row 0")]).await;
        assert_eq!(read, Err(StoreError::Quarantined));
        let again = write_row(store.as_ref(), b"again", 1).await;
        assert_eq!(again, Err(StoreError::Quarantined));
        assert_eq!(store.close().await, Err(StoreError::Quarantined));
        return;
    }
    panic!("no sync failed");
}

/// Runs where one sync of many fails: goes on as if it had not, and does not come to close anything.
async fn write_on_and_die(store: Arc<dyn Store>) {
    let mut refused = 0;
    for row in 0..200 {
        let written = write_row(store.as_ref(), format!("row {row}").as_bytes(), 300).await;
        refused += usize::from(written.is_err());
    }
    assert_ne!(refused, 0, "no sync failed");
    let itself = rustix::process::getpid();
    rustix::process::kill_process(itself, rustix::process::Signal::KILL).expect("it dies");
}

/// Runs where files may not grow past a bound, which `ulimit` has set and this lifts later.
async fn fill_the_disk(engine: &str, place: &Path) {
    let store = open(engine, place).await;
    let mut rows = 0;
    let refused = loop {
        let key = format!("row {rows}");
        match write_row(store.as_ref(), key.as_bytes(), 20_000).await {
            Ok(()) => rows += 1,
            Err(error) => break error,
        }
        assert!(rows < 10_000, "the disk never filled");
    };
    assert_eq!(refused, StoreError::Unavailable);
    let still = write_row(store.as_ref(), b"refused", 20_000).await;
    assert_eq!(still, Err(StoreError::Unavailable));
    assert_rows(store.as_ref(), rows, "while the disk is full").await;
    allow_larger_files();
    let mut attempts = 0;
    while let Err(error) = write_row(store.as_ref(), b"at last", 20_000).await {
        assert_eq!(error, StoreError::Unavailable);
        attempts += 1;
        assert!(attempts < 100, "the store never recovered");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_rows(store.as_ref(), rows, "after the disk was full").await;
    store.close().await.expect("it closes");
    let store = open(engine, place).await;
    assert_rows(store.as_ref(), rows, "after a restart").await;
    assert!(store.read(vec![record(b"at last")]).await.expect("it reads")[0].is_some());
    store.close().await.expect("it closes");
}

fn allow_larger_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let maximum = getrlimit(Resource::Fsize).maximum;
    setrlimit(Resource::Fsize, Rlimit { current: maximum, maximum }).expect("it may be lifted");
}

async fn assert_rows(store: &dyn Store, rows: usize, when: &str) {
    for row in 0..rows {
        let value = store.read(vec![record(format!("row {row}").as_bytes())]).await;
        let value = value.expect("reads go on");
        assert!(value[0].as_deref() == Some(&[7; 20_000][..]), "row {row} of {rows} {when}");
    }
}

/// This test program again, wrapped in `wrapper` if there is one.
fn other_process(wrapper: &[&str], engine: StoreEngine, scenario: &str, place: &Path) -> Command {
    let program = std::env::current_exe().expect("it is known").to_string_lossy().into_owned();
    let test = format!("{}::the_other_process", module_path!().split_once("::").expect("nested").1);
    let mut words: Vec<_> = wrapper.iter().map(ToString::to_string).collect();
    words.extend([program, test, "--exact".into(), "--nocapture".into()]);
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).env(ENGINE, format!("{engine:?}")).env(SCENARIO, scenario);
    command.env(PLACE, place).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn assert_success(output: &Output) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
    assert!(text(&output.stdout).contains("1 passed"), "the other process ran no scenario");
}

fn strace(arguments: &[&str]) -> Vec<String> {
    let found = Command::new("strace").arg("-V").output();
    assert!(found.is_ok_and(|it| it.status.success()), "strace is missing: install it");
    ["strace", "-f", "-qq"].iter().chain(arguments).map(ToString::to_string).collect()
}

#[tokio::test]
async fn a_second_process_is_refused() {
    for engine in ON_DISK {
        let directory = tempfile::tempdir().expect("a directory");
        let place = directory.path().join("database");
        let store =
            open_database(engine, place.clone(), Existence::Create).await.expect("it opens");
        let output = other_process(&[], engine, "open", &place).output().expect("it runs");
        assert_success(&output);
        store.close().await.expect("it closes");
    }
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    for (engine, lines) in ON_DISK.into_iter().flat_map(|it| [(it, 3), (it, 400)]) {
        let directory = tempfile::tempdir().expect("a directory");
        let place = directory.path().join("database");
        let mut child =
            other_process(&[], engine, "write for ever", &place).spawn().expect("it starts");
        let acknowledged = kill_after(&mut child, lines);
        assert!(acknowledged.len() >= lines);
        let store = open_database(engine, place, Existence::MustExist).await.expect("it opens");
        let rows = store.scan(records(b"", None), usize::MAX).await.expect("it scans");
        for key in acknowledged {
            assert!(rows.iter().any(|row| row.key == key.as_bytes()), "{engine:?} lost {key}");
        }
        store.close().await.expect("it closes");
    }
}

fn kill_after(child: &mut Child, lines: usize) -> Vec<String> {
    let stdout = child.stdout.take().expect("it is piped");
    let mut acknowledged = Vec::new();
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        // The first line shares its row with the test runner's own words.
        let Some((_, key)) = line.split_once("acknowledged ") else {
            continue;
        };
        acknowledged.push(key.to_owned());
        if acknowledged.len() == lines {
            child.kill().expect("it is still running");
        }
    }
    let status = child.wait().expect("it ended");
    assert_eq!(status.signal(), Some(9), "it ended before it was killed");
    acknowledged
}

#[tokio::test]
async fn a_full_disk_refuses_writes_and_passes() {
    // The signal is ignored, so that the write fails as on a full disk; 4 MiB in units of 512.
    let limited = ["sh", "-c", "trap '' XFSZ; ulimit -S -f 8192; exec \"$0\" \"$@\""];
    for engine in ON_DISK {
        let directory = tempfile::tempdir().expect("a directory");
        let place = directory.path().join("database");
        let mut command = other_process(&limited, engine, "fill the disk", &place);
        assert_success(&command.output().expect("it runs"));
    }
}

#[tokio::test]
async fn a_failed_sync_quarantines() {
    for engine in ON_DISK {
        let directory = tempfile::tempdir().expect("a directory");
        let place = directory.path().join("database");
        // Late enough that the database is open; only from then on does every sync fail.
        let inject = "inject=fdatasync:error=EIO:when=40+";
        let wrapper = strace(&["-o", "/dev/null", "-e", "trace=fdatasync", "-e", inject]);
        let wrapper: Vec<_> = wrapper.iter().map(String::as_str).collect();
        let mut command = other_process(&wrapper, engine, "lose a sync", &place);
        assert_success(&command.output().expect("it runs"));
    }
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_sync_that_finds_no_space_and_a_kill_after_it() {
    for (engine, sync) in ON_DISK.into_iter().flat_map(|it| [(it, 40), (it, 41), (it, 42)]) {
        let directory = tempfile::tempdir().expect("a directory");
        let place = directory.path().join("database");
        let inject = format!("inject=fdatasync:error=ENOSPC:when={sync}");
        let wrapper = strace(&["-o", "/dev/null", "-e", "trace=fdatasync", "-e", &inject]);
        let wrapper: Vec<_> = wrapper.iter().map(String::as_str).collect();
        let mut command = other_process(&wrapper, engine, "write on and die", &place);
        let output = command.output().expect("it runs");
        assert_eq!(output.status.signal(), Some(9), "{}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let acknowledged: Vec<_> =
            said.lines().filter_map(|line| Some(line.split_once("acknowledged ")?.1)).collect();
        assert!(acknowledged.len() > 10, "{engine:?}: {said}");
        let store = open_database(engine, place, Existence::MustExist).await.expect("it opens");
        let rows = store.scan(records(b"", None), usize::MAX).await.expect("it scans");
        for key in acknowledged {
            assert!(rows.iter().any(|row| row.key == key.as_bytes()), "{engine:?} lost {key}");
        }
        store.apply(vec![change(vec![put(b"more", b"1")])]).await.expect("it writes");
        store.close().await.expect("it closes");
    }
}

#[tokio::test]
async fn no_acknowledgement_precedes_its_sync() {
    for (engine, file) in [(StoreEngine::Sled, "db"), (StoreEngine::Redb, "redb")] {
        let directory = tempfile::tempdir().expect("a directory");
        let (place, trace) = (directory.path().join("database"), directory.path().join("trace"));
        let trace_name = trace.to_string_lossy().into_owned();
        let calls = "trace=fsync,fdatasync,sync_file_range,pwrite64,write";
        let wrapper = strace(&["-y", "-s", "64", "-o", &trace_name, "-e", calls]);
        let wrapper: Vec<_> = wrapper.iter().map(String::as_str).collect();
        let mut command = other_process(&wrapper, engine, "write", &place);
        assert_success(&command.output().expect("it runs"));
        let trace = std::fs::read_to_string(&trace).expect("it was traced");
        assert!(!trace.contains("sync_file_range"), "sled took it for a barrier");
        let opening = trace.split("acknowledged row ").next().expect("a beginning");
        for path in [place.as_path(), directory.path()] {
            assert!(is_synced(opening, path), "{engine:?}: {}", path.display());
        }
        assert!(engine != StoreEngine::Sled || is_synced(opening, &place.join("conf")));
        let database = format!("{}/{file}>", place.to_string_lossy());
        assert_eq!(acknowledged_in_order(&trace, &database), 25, "{engine:?}");
    }
}

fn is_synced(trace: &str, path: &Path) -> bool {
    let call = format!("<{}>", path.to_string_lossy());
    trace.lines().any(|line| line.contains(" fsync(") && line.contains(&call))
}

/// Walks a trace. Each acknowledgement must come after a write to the database and a sync of it
/// that began after that write had ended and ended well. Returns the number of acknowledgements.
fn acknowledged_in_order(trace: &str, database: &str) -> usize {
    let (mut acknowledged, mut is_written, mut is_synced) = (0, false, false);
    let mut under_way = BTreeMap::new();
    for line in trace.lines() {
        let (thread, call) = line.split_once(' ').expect("a thread and a call");
        let name = call.trim_start().trim_start_matches("<... ");
        let name = name.split(['(', ' ']).next().expect("a name");
        let counts = if call.contains("resumed>") {
            under_way.remove(thread).unwrap_or(false)
        } else {
            call.contains(database) && (name != "fdatasync" || is_written)
        };
        if call.ends_with("<unfinished ...>") {
            under_way.insert(thread, counts);
        } else if counts && name == "pwrite64" {
            is_written = true;
        } else if counts && name == "fdatasync" {
            is_synced |= call.ends_with("= 0");
        }
        // It is reported when its `write` begins.
        if call.contains("acknowledged row ") {
            assert!(is_synced, "acknowledged without a sync: {line}");
            (acknowledged, is_written, is_synced) = (acknowledged + 1, false, false);
        }
    }
    acknowledged
}

#[test]
fn a_trace_without_a_sync_is_caught() {
    let write = "7 pwrite64(3</d/db>, \"x\", 1, 0) = 1\n";
    let sync = "7 fdatasync(4</d/db>) = 0\n";
    let acknowledged = "8 write(1<pipe:[1]>, \"acknowledged row 1\\n\", 19) = 19\n";
    let verdict = |parts: &[&str]| {
        let trace = parts.concat();
        std::panic::catch_unwind(move || acknowledged_in_order(&trace, "/d/db>")).ok()
    };
    assert_eq!(verdict(&[write, sync, acknowledged]), Some(1));
    assert_eq!(verdict(&[sync, write, acknowledged]), None);
    assert_eq!(verdict(&[write, acknowledged, sync]), None);
    assert_eq!(verdict(&[write, "7 fdatasync(5</d/other>) = 0\n", acknowledged]), None);
    assert_eq!(verdict(&[write, "7 fdatasync(4</d/db>) = -1 EIO\n", acknowledged]), None);
    let interrupted = "7 fdatasync(4</d/db> <unfinished ...>\n";
    assert_eq!(verdict(&[write, interrupted, acknowledged]), None);
    let resumed = "7 <... fdatasync resumed>) = 0\n";
    assert_eq!(verdict(&[write, interrupted, resumed, acknowledged]), Some(1));
}
