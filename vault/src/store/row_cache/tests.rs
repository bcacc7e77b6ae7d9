use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::{ROW_BYTES_MAX, RowCache};
use crate::store::engine::{Batch, Edit, Engine, KeyRange};
use crate::store::memory::MemoryEngine;
use crate::store::{StoreError, StoreRow};

const LEFT: &[u8] = b"left";
const RIGHT: &[u8] = b"right";

type Act = Mutex<Option<Box<dyn FnOnce() + Send>>>;

/// An engine that counts what it is asked, and does something before it reads or answers.
#[derive(Default)]
struct Slow {
    engine: MemoryEngine,
    asked: Arc<AtomicUsize>,
    before_reading: Arc<Act>,
    before_answering: Arc<Act>,
    before_writing: Arc<Act>,
    /// A commit that was refused, and is found to be whole when the engine is opened anew.
    refused: Arc<Mutex<Option<Batch>>>,
    is_full: Arc<AtomicBool>,
}

fn act(act: &Act) {
    let act = act.lock().expect("a lock").take();
    act.into_iter().for_each(|act| act());
}

impl Engine for Slow {
    fn read(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.asked.fetch_add(keys.len(), Ordering::Relaxed);
        act(&self.before_reading);
        let rows = self.engine.read(keys);
        act(&self.before_answering);
        rows
    }

    fn scan(&self, range: &KeyRange, limit: usize) -> Result<Vec<StoreRow>, StoreError> {
        self.engine.scan(range, limit)
    }

    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        act(&self.before_writing);
        if self.is_full.load(Ordering::Relaxed) {
            *self.refused.lock().expect("a lock") = Some(batch);
            return Err(StoreError::Unavailable);
        }
        self.engine.commit(batch)
    }

    fn settle(&self) -> Result<(), StoreError> {
        let refused = self.refused.lock().expect("a lock").take();
        refused.map_or(Ok(()), |batch| self.engine.commit(batch))
    }

    fn close(self: Box<Self>) -> Result<(), StoreError> {
        Ok(())
    }
}

fn write(engine: &dyn Engine, rows: &[(&[u8], Option<&[u8]>)]) {
    let edit = |(key, new): &(&[u8], Option<&[u8]>)| {
        (key.to_vec(), Edit { old: None, new: new.map(<[u8]>::to_vec) })
    };
    engine.commit(rows.iter().map(edit).collect()).expect("it commits");
}

fn read(engine: &dyn Engine, keys: &[&[u8]]) -> Vec<Option<Vec<u8>>> {
    let keys: Vec<_> = keys.iter().map(|key| key.to_vec()).collect();
    let at_hand = engine.read_at_hand(&keys);
    at_hand.unwrap_or_else(|| engine.read(&keys).expect("it reads"))
}

#[test]
fn a_row_is_read_once_until_it_is_written() {
    let asked = Arc::default();
    let engine = Slow { asked: Arc::clone(&asked), ..Slow::default() };
    let engine = RowCache::new().before(Box::new(engine));
    let asked = || asked.swap(0, Ordering::Relaxed);
    write(&*engine, &[(LEFT, Some(b"1")), (RIGHT, Some(b"1"))]);
    assert_eq!((read(&*engine, &[LEFT]), asked()), (vec![Some(b"1".to_vec())], 1));
    assert_eq!((read(&*engine, &[LEFT]), asked()), (vec![Some(b"1".to_vec())], 0));
    assert_eq!((read(&*engine, &[RIGHT, LEFT, RIGHT]).len(), asked()), (3, 2));
    write(&*engine, &[(LEFT, Some(b"2"))]);
    let both = vec![Some(b"2".to_vec()), Some(b"1".to_vec())];
    assert_eq!((read(&*engine, &[LEFT, RIGHT]), asked()), (both, 1));
    write(&*engine, &[(LEFT, None)]);
    assert_eq!((read(&*engine, &[LEFT]), asked()), (vec![None], 1));
}

#[test]
fn databases_of_one_cache_are_apart() {
    let cache = RowCache::new();
    let engines = [b"1", b"2"].map(|row| {
        let engine = cache.before(Box::<MemoryEngine>::default());
        write(&*engine, &[(LEFT, Some(row))]);
        engine
    });
    for _ in 0..2 {
        let rows = [0, 1].map(|at| read(&*engines[at], &[LEFT]).remove(0));
        assert_eq!(rows, [Some(b"1".to_vec()), Some(b"2".to_vec())]);
    }
}

#[test]
fn large_rows_are_not_kept() {
    let engine = RowCache::new().before(Box::<MemoryEngine>::default());
    write(&*engine, &[(LEFT, Some(&[0; ROW_BYTES_MAX + 1])), (RIGHT, Some(&[0; ROW_BYTES_MAX]))]);
    read(&*engine, &[LEFT, RIGHT]);
    assert!(engine.read_at_hand(&[LEFT.to_vec()]).is_none());
    assert!(engine.read_at_hand(&[RIGHT.to_vec()]).is_some());
}

#[test]
fn what_is_written_while_it_is_read_is_not_kept_as_it_was() {
    let meanwhile = Arc::default();
    let engine = Slow { before_answering: Arc::clone(&meanwhile), ..Slow::default() };
    let engine: Arc<dyn Engine> = Arc::from(RowCache::new().before(Box::new(engine)));
    write(&*engine, &[(LEFT, Some(b"1"))]);
    let writer = Arc::clone(&engine);
    let act = Box::new(move || write(&*writer, &[(LEFT, Some(b"2"))]));
    *meanwhile.lock().expect("a lock") = Some(act);
    read(&*engine, &[LEFT]);
    assert_eq!(read(&*engine, &[LEFT]), [Some(b"2".to_vec())]);
}

#[test]
fn what_is_read_while_it_is_written_is_not_kept_as_it_was() {
    let meanwhile = Arc::default();
    let engine = Slow { before_writing: Arc::clone(&meanwhile), ..Slow::default() };
    let engine: Arc<dyn Engine> = Arc::from(RowCache::new().before(Box::new(engine)));
    write(&*engine, &[(LEFT, Some(b"1"))]);
    let reader = Arc::clone(&engine);
    let act = Box::new(move || assert_eq!(read(&*reader, &[LEFT]), [Some(b"1".to_vec())]));
    *meanwhile.lock().expect("a lock") = Some(act);
    write(&*engine, &[(LEFT, Some(b"2"))]);
    assert_eq!(read(&*engine, &[LEFT]), [Some(b"2".to_vec())]);
}

#[test]
fn what_is_read_after_a_refused_write_is_not_kept_until_another_succeeds() {
    let is_full = Arc::new(AtomicBool::new(false));
    let engine = Slow { is_full: Arc::clone(&is_full), ..Slow::default() };
    let engine = RowCache::new().before(Box::new(engine));
    write(&*engine, &[(LEFT, Some(b"1")), (RIGHT, Some(b"1"))]);
    is_full.store(true, Ordering::Relaxed);
    let new = Edit { old: None, new: Some(b"2".to_vec()) };
    let refused = engine.commit(Batch::from([(LEFT.to_vec(), new)]));
    assert_eq!(refused, Err(StoreError::Unavailable));
    assert_eq!(read(&*engine, &[LEFT]), [Some(b"1".to_vec())]);
    is_full.store(false, Ordering::Relaxed);
    engine.settle().expect("it settles");
    assert_eq!(read(&*engine, &[LEFT]), [Some(b"2".to_vec())]);
    write(&*engine, &[(RIGHT, Some(b"2"))]);
    read(&*engine, &[LEFT]);
    assert!(engine.read_at_hand(&[LEFT.to_vec()]).is_some());
}

#[test]
fn rows_read_at_once_are_of_one_moment() {
    let meanwhile = Arc::default();
    let engine = Slow { before_reading: Arc::clone(&meanwhile), ..Slow::default() };
    let engine: Arc<dyn Engine> = Arc::from(RowCache::new().before(Box::new(engine)));
    write(&*engine, &[(LEFT, Some(b"1")), (RIGHT, Some(b"1"))]);
    read(&*engine, &[LEFT]);
    let writer = Arc::clone(&engine);
    let act = Box::new(move || write(&*writer, &[(LEFT, Some(b"2")), (RIGHT, Some(b"2"))]));
    *meanwhile.lock().expect("a lock") = Some(act);
    let rows = read(&*engine, &[LEFT, RIGHT]);
    assert_eq!(rows[0], rows[1]);
}

#[test]
fn readers_beside_a_writer_see_whole_changes_and_never_go_back() {
    let engine: Arc<dyn Engine> = Arc::from(RowCache::new().before(Box::<MemoryEngine>::default()));
    write(&*engine, &[(LEFT, Some(&[0; 8])), (RIGHT, Some(&[0; 8]))]);
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut last = vec![Some(vec![0; 8]); 2];
                while !is_over.load(Ordering::Relaxed) {
                    let rows = read(&*engine, &[LEFT, RIGHT]);
                    assert_eq!(rows[0], rows[1], "half a change");
                    assert!(rows >= last, "older than before");
                    last = rows;
                }
            });
        }
        for turn in 1..3_000_u64 {
            let row = turn.to_be_bytes();
            write(&*engine, &[(LEFT, Some(&row)), (RIGHT, Some(&row))]);
            if turn % 16 == 0 {
                std::thread::yield_now();
            }
        }
        is_over.store(true, Ordering::Relaxed);
    });
}
