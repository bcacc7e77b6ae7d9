//! Reads what strace wrote.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

/// The calls that change files or make changes durable, and those that must not be there.
pub(super) const CALLS: &str = "trace=open,openat,creat,write,pwrite64,writev,pwritev,pwritev2,\
    fsync,fdatasync,sync_file_range,rename,renameat,renameat2,ftruncate,truncate,fallocate,unlink,\
    unlinkat,mkdir,mkdirat,rmdir,link,linkat,symlink,symlinkat,sendfile,copy_file_range,mmap";

/// A call begins or ends well; in between, others may.
pub(super) enum Event {
    Begin(usize, Call),
    End(usize),
}

/// A call, with paths below the recorded directory.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Call {
    Open { path: PathBuf, creates: bool, truncates: bool },
    Write { path: PathBuf, offset: Option<usize>, data: Vec<u8> },
    Resize { path: PathBuf, length: usize },
    Sync { path: PathBuf },
    Rename { from: PathBuf, to: PathBuf },
    Remove { path: PathBuf },
    MakeDirectory { path: PathBuf },
    Say(String),
}

/// All events of a trace that concern `place`.
pub(super) fn parse(trace: &str, place: &Path) -> Vec<Event> {
    let (mut events, mut under_way) = (Vec::new(), HashMap::new());
    for (id, line) in trace.lines().enumerate() {
        let (thread, text) = line.split_once(' ').expect("a thread and a call");
        let text = text.trim_start();
        if text.starts_with("+++") || text.starts_with("---") {
            continue;
        }
        if let Some(begun) = text.strip_suffix(" <unfinished ...>") {
            let call = call(begun, place);
            under_way.insert(thread, (id, begun, call.is_some()));
            events.extend(call.map(|call| Event::Begin(id, call)));
        } else if let Some((_, rest)) = text.split_once(" resumed>") {
            let (id, begun, is_seen) = under_way.remove(thread).expect("it began");
            let whole = format!("{begun}{rest}");
            // Some arguments are told at the end only; what needs them has no effect before.
            let call = if is_seen { None } else { call(&whole, place) };
            let concerns = is_seen || call.is_some();
            events.extend(call.map(|call| Event::Begin(id, call)));
            events.extend((concerns && has_ended_well(&whole)).then_some(Event::End(id)));
        } else if let Some(call) = call(text, place) {
            events.push(Event::Begin(id, call));
            events.extend(has_ended_well(text).then_some(Event::End(id)));
        }
    }
    events
}

fn has_ended_well(text: &str) -> bool {
    let (_, result) = text.rsplit_once(" = ").expect("a result");
    !result.starts_with('-')
}

/// What a call is, if it concerns the recorded directory or says something.
fn call(text: &str, place: &Path) -> Option<Call> {
    let (name, rest) = text.split_once('(')?;
    let rest = rest.rsplit_once(" = ").map_or(rest, |(arguments, _)| arguments);
    let words: Vec<_> = rest.trim_end().trim_end_matches(')').split(", ").collect();
    let below = |word: &&str| Some(path_in(word)?.strip_prefix(place).ok()?.to_owned());
    let number = |index: usize| words[index].parse().expect("a number");
    let file = words.iter().find_map(below);
    if name == "write" && file.is_none() && words[0].starts_with("1<") {
        let line = String::from_utf8_lossy(&bytes_in(words[1])).into_owned();
        return line.split_once("said: ").map(|(_, said)| Call::Say(said.trim().to_owned()));
    }
    let path = file?;
    Some(match name {
        "open" | "openat" => {
            let has = |flag: &str| words.iter().any(|word| word.split('|').any(|it| it == flag));
            assert!(!has("O_APPEND"), "not understood: {text}");
            Call::Open { path, creates: has("O_CREAT"), truncates: has("O_TRUNC") }
        }
        "write" => Call::Write { path, offset: None, data: bytes_in(words[1]) },
        "pwrite64" => Call::Write { path, offset: Some(number(3)), data: bytes_in(words[1]) },
        "ftruncate" => Call::Resize { path, length: number(1) },
        "fsync" | "fdatasync" => Call::Sync { path },
        "rename" => {
            let mut paths = words.iter().filter_map(below);
            Call::Rename { from: paths.next()?, to: paths.next().expect("within the place") }
        }
        "unlink" | "rmdir" => Call::Remove { path },
        "unlinkat" => {
            let whole = path_in(words[0])?.join(path_in(words[1])?);
            Call::Remove { path: whole.strip_prefix(place).ok()?.to_owned() }
        }
        "mkdir" => Call::MakeDirectory { path },
        // It makes nothing durable: it neither flushes the disk's cache nor writes the size.
        "sync_file_range" => return None,
        "mmap" if !text.contains("MAP_SHARED") || !text.contains("PROT_WRITE") => return None,
        _ => panic!("not understood: {}", &text[..text.len().min(300)]),
    })
}

/// The path in an argument: of a descriptor, or given.
fn path_in(word: &str) -> Option<PathBuf> {
    let digits = match word.split_once('<') {
        Some((_, rest)) => rest.strip_suffix('>').or_else(|| rest.strip_suffix(">(deleted)"))?,
        None => word.strip_prefix('"')?.strip_suffix('"')?,
    };
    // Paths are short; what is longer is data.
    let bytes = if digits.len() < 4_096 { bytes_in(digits) } else { return None };
    Some(PathBuf::from(String::from_utf8(bytes).ok()?))
}

/// What `\x61\x62` means.
fn bytes_in(text: &str) -> Vec<u8> {
    let digit = |it: u8| if it <= b'9' { it - b'0' } else { it - b'a' + 10 };
    let text = text.trim_matches('"').as_bytes();
    text.chunks_exact(4).map(|it| digit(it[2]) << 4 | digit(it[3])).collect()
}
