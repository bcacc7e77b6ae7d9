//! The memory of a process as its core image would hold it: every page that is present and not all
//! zeros, with what the system knows of where it belongs.
//!
//! It promises to read what no tool of the process could hide: `/proc/PID/mem` knows no protection.
//! It relies on being allowed to, as root or as one who may trace.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    os::unix::fs::FileExt as _,
};

use crate::{Needles, Process};

const PAGE_BYTES: usize = 4_096;
/// Bit of an entry of `pagemap` that says the page is present; the next one, that it is in swap.
const PRESENT: u64 = 1 << 63;
const SWAPPED: u64 = 1 << 62;

/// The memory of a process at a moment.
#[derive(Debug)]
pub struct MemoryImage {
    runs: Vec<Run>,
    stacks: Vec<Stack>,
}

/// Where a needle was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MemoryHit {
    /// Which needle, in which form.
    pub needle: String,
    /// In which part of the memory.
    pub place: String,
}

/// Pages that follow each other.
#[derive(Debug)]
struct Run {
    mapping: String,
    start: u64,
    bytes: Vec<u8>,
}

/// The stack of a thread that waits in the system.
#[derive(Debug)]
struct Stack {
    thread: String,
    mapping: (u64, u64),
    pointer: u64,
}

#[derive(Debug)]
struct Mapping {
    start: u64,
    end: u64,
    name: String,
}

impl Process {
    /// An image of its memory.
    ///
    /// # Panics
    /// When it may not be read.
    #[must_use]
    pub fn memory(&self) -> MemoryImage {
        MemoryImage::of(self.id())
    }
}

impl MemoryImage {
    /// The memory of a process by its id.
    ///
    /// # Panics
    /// When it may not be read.
    #[must_use]
    pub fn of(process: u32) -> Self {
        let of = |file: &str| format!("/proc/{process}/{file}");
        let mappings = mappings(&fs::read_to_string(of("maps")).expect("its maps"));
        let memory = File::open(of("mem")).expect("its memory: run as root");
        let pages = File::open(of("pagemap")).expect("its pages");
        let runs = mappings.iter().flat_map(|mapping| runs(mapping, &memory, &pages)).collect();
        Self { runs, stacks: stacks(process, &mappings) }
    }

    /// Bytes it holds, pages of zeros not counted.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.runs.iter().map(|run| run.bytes.len()).sum()
    }

    /// Where which needles are, and how often.
    #[must_use]
    pub fn hits(&self, needles: &Needles) -> BTreeMap<MemoryHit, usize> {
        let mut hits = BTreeMap::new();
        for run in &self.runs {
            needles.find(&run.bytes, |needle, at| {
                let place = self.place(run, run.start + at as u64);
                *hits.entry(MemoryHit { needle: needle.to_owned(), place }).or_default() += 1;
            });
        }
        hits
    }

    fn place(&self, run: &Run, address: u64) -> String {
        let contains = |stack: &&Stack| (stack.mapping.0..stack.mapping.1).contains(&address);
        match self.stacks.iter().find(contains) {
            Some(stack) if address < stack.pointer => {
                let below = (stack.pointer - address) / 1_024;
                format!("left on the stack of {}, {below} KiB below", stack.thread)
            }
            Some(stack) => format!("in the frames of {}", stack.thread),
            None => run.mapping.clone(),
        }
    }
}

fn mappings(maps: &str) -> Vec<Mapping> {
    let parse = |line: &str| {
        let mut parts = line.split_whitespace();
        let (start, end) = parts.next()?.split_once('-')?;
        let rights = parts.next()?;
        let address = |text| u64::from_str_radix(text, 16).ok();
        let name = parts.nth(3).unwrap_or("anonymous");
        // The system's own pages hold nothing of the process.
        let is_readable = rights.starts_with('r') && !name.starts_with("[v");
        let name = format!("{name} {rights}");
        is_readable.then_some(Mapping { start: address(start)?, end: address(end)?, name })
    };
    maps.lines().filter_map(parse).collect()
}

/// The runs of pages of a mapping that are there and hold something.
fn runs(mapping: &Mapping, memory: &File, pages: &File) -> Vec<Run> {
    let page_bytes = PAGE_BYTES as u64;
    let count = usize::try_from((mapping.end - mapping.start) / page_bytes).expect("a count");
    let mut entries = vec![0; count * 8];
    if pages.read_exact_at(&mut entries, mapping.start / page_bytes * 8).is_err() {
        return Vec::new();
    }
    let mut runs: Vec<Run> = Vec::new();
    let mut page = [0; PAGE_BYTES];
    for (number, entry) in entries.chunks_exact(8).enumerate() {
        let entry = u64::from_ne_bytes(entry.try_into().expect("eight bytes"));
        let start = mapping.start + number as u64 * page_bytes;
        // A mapping may go while it is read.
        let is_there = entry & (PRESENT | SWAPPED) != 0
            && memory.read_exact_at(&mut page, start).is_ok()
            && page != [0; PAGE_BYTES];
        match runs.last_mut() {
            _ if !is_there => {}
            Some(run) if run.start + run.bytes.len() as u64 == start => {
                run.bytes.extend_from_slice(&page);
            }
            _ => runs.push(Run { mapping: mapping.name.clone(), start, bytes: page.to_vec() }),
        }
    }
    runs
}

/// The stacks of the threads that wait: `syscall` ends with stack pointer and program counter.
fn stacks(process: u32, mappings: &[Mapping]) -> Vec<Stack> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).expect("its threads");
    let stack = |thread: fs::DirEntry| {
        let name = fs::read_to_string(thread.path().join("comm")).ok()?;
        let call = fs::read_to_string(thread.path().join("syscall")).ok()?;
        let pointer = call.split_whitespace().rev().nth(1)?.strip_prefix("0x")?;
        let pointer = u64::from_str_radix(pointer, 16).ok()?;
        let holds = |mapping: &&Mapping| (mapping.start..mapping.end).contains(&pointer);
        let mapping = mappings.iter().find(holds)?;
        let mapping = (mapping.start, mapping.end);
        Some(Stack { thread: name.trim().to_owned(), mapping, pointer })
    };
    threads.filter_map(|thread| stack(thread.ok()?)).collect()
}
