//! A file behind a cache.

use std::collections::BTreeSet;

use super::{fate::Fate, random::Random};

/// What a disk writes whole.
const SECTOR: usize = 512;

/// A change of a file.
pub(super) enum Change {
    Write(usize, Vec<u8>),
    Resize(usize),
}

/// A change of something, under way or done, synced or not.
pub(super) struct Pending<T> {
    pub(super) id: usize,
    pub(super) change: T,
    pub(super) is_done: bool,
    pub(super) is_synced: bool,
}

#[derive(Default)]
pub(super) struct File {
    /// What is sure to be there.
    content: Vec<u8>,
    pending: Vec<Pending<Change>>,
    /// Where the next write without an offset goes.
    pub(super) position: usize,
}

impl File {
    pub(super) fn change(&mut self, id: usize, change: Change) {
        self.pending.push(Pending { id, change, is_done: false, is_synced: false });
    }

    pub(super) fn done(&mut self, id: usize) {
        self.pending.iter_mut().filter(|it| it.id == id).for_each(|it| it.is_done = true);
    }

    /// The changes that are done.
    pub(super) fn done_ids(&self) -> impl Iterator<Item = usize> {
        self.pending.iter().filter(|it| it.is_done).map(|it| it.id)
    }

    pub(super) fn synced(&mut self, covered: &BTreeSet<usize>) {
        let covered = |it: &&mut Pending<Change>| covered.contains(&it.id);
        self.pending.iter_mut().filter(covered).for_each(|it| it.is_synced = true);
        // A synced change that comes after an unsynced one waits: they may overlap.
        let sure = self.pending.iter().take_while(|it| it.is_synced).count();
        for pending in self.pending.drain(..sure) {
            pending.change.apply(&mut self.content);
        }
    }

    pub(super) fn remains(&self, fate: Fate, random: &mut Random) -> Vec<u8> {
        let mut content = self.content.clone();
        for pending in &self.pending {
            match (&pending.change, fate) {
                (change, _) if pending.is_synced => change.apply(&mut content),
                (Change::Write(at, data), Fate::Torn) => {
                    for (index, sector) in data.chunks(SECTOR).enumerate() {
                        if random.flip() {
                            write(&mut content, at + index * SECTOR, sector);
                        }
                    }
                }
                (change, fate) if fate.keeps(random) => change.apply(&mut content),
                _ => {}
            }
        }
        content
    }
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write(at, data) => write(content, *at, data),
            Self::Resize(length) => content.resize(*length, 0),
        }
    }
}

fn write(content: &mut Vec<u8>, at: usize, data: &[u8]) {
    if content.len() < at + data.len() {
        content.resize(at + data.len(), 0);
    }
    content[at..at + data.len()].copy_from_slice(data);
}
