//! Measures the disk and the memory that a step uses.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::Path,
};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Disk {
    pub(super) bytes: u64,
    pub(super) entries: u64,
}

impl Disk {
    pub(super) fn grown_since(self, before: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_sub(before.bytes),
            entries: self.entries.saturating_sub(before.entries),
        }
    }
}

/// What a folder takes on disk. Follows no symlink; what vanishes meanwhile counts nothing.
pub(super) fn disk(root: &Path) -> Disk {
    let mut sum = Disk::default();
    let mut waiting = vec![root.to_owned()];
    while let Some(dir) = waiting.pop() {
        let Ok(entries) = fs::read_dir(&dir) else { continue };
        for entry in entries.flatten() {
            let Ok(meta) = entry.metadata() else { continue };
            sum.entries += 1;
            sum.bytes = sum.bytes.saturating_add(meta.blocks().saturating_mul(512));
            if meta.is_dir() {
                waiting.push(entry.path());
            }
        }
    }
    sum
}

/// The memory of a process and of all that it started, in bytes, without files that are mapped.
pub(super) fn memory(root: u32) -> u64 {
    let mut seen = BTreeSet::from([root]);
    let mut waiting = vec![root];
    let mut sum = 0_u64;
    while let Some(pid) = waiting.pop() {
        sum = sum.saturating_add(memory_of(pid).unwrap_or(0));
        waiting.extend(children(pid).into_iter().filter(|&child| seen.insert(child)));
    }
    sum
}

fn memory_of(pid: u32) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kilobytes = status.lines().filter_map(|line| {
        let rest = line.strip_prefix("RssAnon:").or_else(|| line.strip_prefix("RssShmem:"))?;
        rest.trim().strip_suffix("kB")?.trim_end().parse::<u64>().ok()
    });
    Ok(kilobytes.sum::<u64>().saturating_mul(1_024))
}

fn children(pid: u32) -> Vec<u32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let mut text = String::new();
    for thread in threads.flatten() {
        // A thread that has just ended has no children any more.
        let file = fs::File::open(thread.path().join("children"));
        let _ = file.and_then(|mut file| file.read_to_string(&mut text));
        text.push(' ');
    }
    text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}
