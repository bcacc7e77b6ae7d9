use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use super::SledEngine;
use crate::store::engine::{Batch, Edit, Engine, KeyRange, guarded};
use crate::store::{StoreError, StoreRow};

fn batch(engine: &SledEngine, rows: &[(&[u8], Option<&[u8]>)]) -> Batch {
    let row = |(key, value): &(&[u8], Option<&[u8]>)| {
        let edit = Edit { old: read(engine, key), new: value.map(<[u8]>::to_vec) };
        (key.to_vec(), edit)
    };
    rows.iter().map(row).collect()
}

fn read(engine: &SledEngine, key: &[u8]) -> Option<Vec<u8>> {
    engine.read_one(key).expect("it reads")
}

fn scan(engine: &SledEngine, after: Option<&[u8]>, limit: usize) -> Vec<StoreRow> {
    try_scan(engine, after, limit).expect("it scans")
}

fn try_scan(
    engine: &SledEngine,
    after: Option<&[u8]>,
    limit: usize,
) -> Result<Vec<StoreRow>, StoreError> {
    let range = KeyRange { prefix: b"k".to_vec(), after: after.map(<[u8]>::to_vec) };
    engine.scan(&range, limit)
}

#[test]
fn readers_see_nothing_of_a_batch_before_it_is_synced() {
    let directory = tempfile::tempdir().expect("a directory");
    let engine = SledEngine::open(directory.path()).expect("it opens");
    let rows: [(&[u8], _); 4] =
        [(b"k1", Some(&[1; 9_000][..])), (b"k3", Some(b"3")), (b"k5", Some(b"")), (b"k6", None)];
    engine.commit(batch(&engine, &rows)).expect("it commits");
    let everything = scan(&engine, None, 9);
    assert_eq!(everything.len(), 3);

    let later: [(&[u8], _); 6] = [
        (b"k0", Some(&[8; 5_000][..])),
        (b"k1", Some(b"short")),
        (b"k2", Some(b"new")),
        (b"k3", None),
        (b"k4", Some(b"new")),
        (b"k7", Some(b"new")),
    ];
    engine.write(batch(&engine, &later)).expect("it writes");
    for limit in 0..5 {
        let expected = &everything[..limit.min(3)];
        assert!(scan(&engine, None, limit) == expected, "limit {limit}");
        assert!(scan(&engine, Some(b"k1"), limit) == everything[1..(1 + limit).min(3)]);
    }
    for (key, _) in later {
        let before = everything.iter().find(|row| row.key == key).map(|row| row.value.clone());
        assert!(read(&engine, key) == before, "{key:?}");
    }

    engine.sync().expect("it syncs");
    for (key, value) in later {
        assert!(read(&engine, key).as_deref() == value, "{key:?}");
    }
    let keys: Vec<_> = scan(&engine, None, 9).into_iter().map(|row| row.key).collect();
    assert_eq!(keys, [b"k0", b"k1", b"k2", b"k4", b"k5", b"k7"]);
    Box::new(engine).close().expect("it closes");
}

#[test]
fn a_snapshot_that_was_cut_short_is_no_damage() {
    let directory = tempfile::tempdir().expect("a directory");
    let engine = SledEngine::open(directory.path()).expect("it opens");
    engine.commit(batch(&engine, &[(b"k", Some(b"kept"))])).expect("it commits");
    Box::new(engine).close().expect("it closes");
    let draft = directory.path().join("snap.FFFFFFFFFFFFFFFF.generating");
    std::fs::write(&draft, b"cut short").expect("a draft");
    let engine = SledEngine::open(directory.path()).expect("it opens");
    assert_eq!(read(&engine, b"k").as_deref(), Some(&b"kept"[..]));
    assert!(!draft.exists());
    Box::new(engine).close().expect("it closes");
}

#[test]
fn it_opens_again_as_soon_as_it_has_closed() {
    let directory = tempfile::tempdir().expect("a directory");
    for turn in 0..10_u8 {
        let engine = SledEngine::open(directory.path()).expect("it opens");
        assert_eq!(scan(&engine, None, 99).len(), usize::from(turn));
        engine.commit(batch(&engine, &[(&[b'k', turn], Some(b""))])).expect("it commits");
        Box::new(engine).close().expect("it closes");
    }
}

/// A log of several segments, and sled's settings, as a killed process leaves them.
fn crashed_files() -> (Vec<u8>, Vec<u8>) {
    let directory = tempfile::tempdir().expect("a directory");
    let engine = SledEngine::open(directory.path()).expect("it opens");
    for first in 0..20_u8 {
        let keys: Vec<_> = (0..20_u8).map(|second| [b'k', first, second]).collect();
        let rows: Vec<(&[u8], _)> =
            keys.iter().map(|key| (&key[..], Some(&[7; 3_000][..]))).collect();
        engine.commit(batch(&engine, &rows)).expect("it commits");
    }
    let file = |name| std::fs::read(directory.path().join(name)).expect("it reads");
    (file("db"), file("conf"))
}

/// How many rows readers get who read on page by page.
fn count_paged(engine: &SledEngine) -> Result<usize, StoreError> {
    let (mut count, mut after) = (0, None);
    loop {
        let rows = try_scan(engine, after.as_deref(), 64)?;
        count += rows.len();
        match rows.into_iter().next_back() {
            Some(last) => after = Some(last.key),
            None => return Ok(count),
        }
    }
}

/// Opens the files with one page of the log overwritten, unless that is found out anyway, on opening
/// or on reading; whether readers meet other rows page by page than at once.
fn reads_two_ways((log, settings): &(Vec<u8>, Vec<u8>), page: usize) -> bool {
    let directory = tempfile::tempdir().expect("a directory");
    let mut log = log.clone();
    log[page * 4_096..][..4_096].fill(0);
    std::fs::write(directory.path().join("db"), log).expect("it writes");
    std::fs::write(directory.path().join("conf"), settings).expect("it writes");
    let Ok(engine) = guarded(|| SledEngine::open(directory.path())) else { return false };
    let at_once = try_scan(&engine, None, usize::MAX).map(|rows| rows.len());
    let (Ok(paged), Ok(at_once)) = (count_paged(&engine), at_once) else { return false };
    let disagrees = paged != at_once;
    assert!(!disagrees || engine.walk(&mut |_| ()).is_err(), "page {page}");
    disagrees
}

#[test]
fn a_walk_refuses_a_tree_that_reads_in_two_ways() {
    let files = crashed_files();
    let pages = files.0.len() / 4_096;
    // Where a leaf's split lies in the log depends on the flusher; most of the last segments do.
    let mut candidates = (0..8).flat_map(|skipped| (0..pages).rev().skip(skipped).step_by(8));
    assert!(candidates.any(|page| reads_two_ways_in_time(&files, page)));
}

/// Whether it does, unless that takes long: sled looks for a page that is gone a million times.
fn reads_two_ways_in_time(files: &(Vec<u8>, Vec<u8>), page: usize) -> bool {
    let (tell, told) = channel();
    let files = files.clone();
    std::thread::spawn(move || tell.send(reads_two_ways(&files, page)));
    match told.recv_timeout(Duration::from_secs(10)) {
        Ok(answer) => answer,
        Err(RecvTimeoutError::Timeout) => false,
        Err(RecvTimeoutError::Disconnected) => panic!("page {page}: what was told above"),
    }
}
