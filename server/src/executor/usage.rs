//! Measures the disk and the memory that a step uses, where the kernel does not count it.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::Path,
};

/// What the kernel needs for a file in memory, beside its contents.
const FILE_IN_MEMORY_BYTES: u64 = 1_024;

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

    pub(super) fn and(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_add(other.bytes),
            entries: self.entries.saturating_add(other.entries),
        }
    }

    fn add(&mut self, meta: &fs::Metadata) {
        self.entries += 1;
        // A sparse file takes little until somebody reads it, and then what it says.
        let size = if meta.is_file() { meta.size() } else { 0 };
        self.bytes = self.bytes.saturating_add(size.max(meta.blocks().saturating_mul(512)));
    }
}

/// What folders take on disk, or say that they take. Follows no symlink; what vanishes meanwhile
/// counts nothing.
pub(super) fn disk(roots: &[impl AsRef<Path>]) -> Disk {
    let mut sum = Disk::default();
    let mut waiting: Vec<_> = roots.iter().map(|root| root.as_ref().to_owned()).collect();
    while let Some(dir) = waiting.pop() {
        let Ok(entries) = fs::read_dir(&dir) else { continue };
        for entry in entries.flatten() {
            let Ok(meta) = entry.metadata() else { continue };
            sum.add(&meta);
            if meta.is_dir() {
                waiting.push(entry.path());
            }
        }
    }
    sum
}

/// The files that a step has deleted and still writes to: no folder shows them.
pub(super) fn deleted_files(root: u32) -> Disk {
    let mut sum = Disk::default();
    let mut seen = BTreeSet::new();
    for pid in family(root) {
        for file in fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten() {
            // The link leads to the file itself, whatever its name was.
            let Ok(meta) = fs::metadata(file.path()) else { continue };
            let is_gone = meta.is_file() && meta.nlink() == 0;
            if is_gone && seen.insert((meta.dev(), meta.ino())) {
                sum.add(&meta);
            }
        }
    }
    sum
}

/// What is left for the server on the disk of a folder.
pub(super) fn free_bytes(dir: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(dir)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Processes {
    pub(super) count: u32,
    /// Without files that are mapped, with folders in memory.
    pub(super) memory_bytes: u64,
}

/// A process and all that it started; stops counting above `count_max`, as a fork bomb is quicker
/// than any count of it. `folders` lie in memory, in the namespace of the process.
pub(super) fn processes(root: u32, count_max: u32, folders: &[&str]) -> Processes {
    let mut sum = Processes::default();
    let mut inside = None;
    walk(root, |pid| {
        sum.count += 1;
        sum.memory_bytes = sum.memory_bytes.saturating_add(memory_of(pid).unwrap_or(0));
        inside = Some(pid);
        sum.count <= count_max
    });
    // The last one is the deepest, and so inside of the sandbox.
    if let Some(pid) = inside {
        for folder in folders {
            let used = in_memory(Path::new(&format!("/proc/{pid}/root{folder}")));
            sum.memory_bytes = sum.memory_bytes.saturating_add(used.unwrap_or(0));
        }
    }
    sum
}

/// What a folder takes when it is a mount in memory.
fn in_memory(folder: &Path) -> io::Result<u64> {
    if rustix::fs::statfs(folder)?.f_type != libc::TMPFS_MAGIC {
        return Ok(0);
    }
    let mount = rustix::fs::statvfs(folder)?;
    let blocks = mount.f_blocks.saturating_sub(mount.f_bfree).saturating_mul(mount.f_frsize);
    let files = mount.f_files.saturating_sub(mount.f_ffree).saturating_mul(FILE_IN_MEMORY_BYTES);
    Ok(blocks.saturating_add(files))
}

/// A process and all that it started.
pub(super) fn family(root: u32) -> BTreeSet<u32> {
    let mut all = BTreeSet::new();
    walk(root, |pid| all.insert(pid));
    all
}

/// Visits a process and all that it started, from the top, until `visit` has enough.
fn walk(root: u32, mut visit: impl FnMut(u32) -> bool) {
    let mut seen = BTreeSet::from([root]);
    let mut waiting = std::collections::VecDeque::from([root]);
    while let Some(pid) = waiting.pop_front() {
        if !visit(pid) {
            break;
        }
        waiting.extend(children(pid).into_iter().filter(|&child| seen.insert(child)));
    }
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
