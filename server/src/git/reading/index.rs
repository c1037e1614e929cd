//! Reads the file `index` of a repository: paths with their modes, objects and times.
//!
//! Two of them are read: ours, which git wrote where steps cannot reach, and the one that steps
//! left in `.git`, which may hold anything. Nothing is opened by what stands in it.

use super::objects::Id;
use crate::git::patch::FileMode;
use rustix::fs::Stat;

/// The entries of an index, at most.
const ENTRIES_MAX: u32 = 2_000_000;
/// The longest path, in bytes.
const PATH_BYTES_MAX: usize = 4_096;

/// The entries in the order of their paths, each path once.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::git) struct Index {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::git) struct Entry {
    pub(in crate::git) path: Vec<u8>,
    pub(in crate::git) mode: FileMode,
    pub(in crate::git) id: Id,
    pub(super) stamp: Stamp,
}

/// What tells that a file was not touched, as git keeps it: the lower half of each number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) changed: (u32, u32),
    pub(super) modified: (u32, u32),
    inode: u32,
    size: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::git) enum IndexFault {
    #[error("it does not begin like an index of git")]
    Header,
    #[error("it has version {0}, and the versions 2 to 4 are known")]
    Version(u32),
    #[error("it has more than {ENTRIES_MAX} entries")]
    TooMany,
    #[error("it ends too early")]
    Short,
    #[error("it holds a path that no file can have")]
    Path,
    #[error("it is split over two files")]
    Split,
}

impl Entry {
    /// What `git update-index -z --index-info` reads.
    pub(super) fn line(&self) -> Vec<u8> {
        let start = format!("{} {}\t", self.mode.as_str(), hex::encode(self.id));
        [start.as_bytes(), &self.path, b"\0"].concat()
    }
}

impl Stamp {
    /// In bytes.
    pub(super) fn size(self) -> u32 {
        self.size
    }

    pub(super) fn of(stat: &Stat) -> Self {
        Self {
            changed: (low(stat.st_ctime), low_bits(stat.st_ctime_nsec)),
            modified: (low(stat.st_mtime), low_bits(stat.st_mtime_nsec)),
            inode: low_bits(stat.st_ino),
            size: low(stat.st_size),
        }
    }

    /// Whether a file with this stamp was written for good before something else was. Clocks of
    /// file systems have steps, so what happened in the same step may have come later.
    pub(super) fn is_before(self, other: Self) -> bool {
        self.changed < other.modified && self.modified < other.modified
    }
}

fn low(number: i64) -> u32 {
    low_bits(number.cast_unsigned())
}

fn low_bits(number: u64) -> u32 {
    u32::try_from(number & u64::from(u32::MAX)).unwrap_or_default()
}

impl Index {
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn find(&self, path: &[u8]) -> Option<usize> {
        self.entries.binary_search_by(|entry| entry.path.as_slice().cmp(path)).ok()
    }

    /// Whether it holds a path below this folder.
    pub(super) fn has_below(&self, folder: &[u8]) -> bool {
        let start = [folder, b"/"].concat();
        let at = self.entries.partition_point(|entry| entry.path < start);
        self.entries.get(at).is_some_and(|entry| entry.path.starts_with(&start))
    }

    /// Reads an index of a repository with object names of 20 bytes.
    pub(in crate::git) fn parse(bytes: &[u8]) -> Result<Self, IndexFault> {
        let mut rest = bytes.strip_prefix(b"DIRC").ok_or(IndexFault::Header)?;
        let version = number(&mut rest)?;
        if !(2..=4).contains(&version) {
            return Err(IndexFault::Version(version));
        }
        let count = number(&mut rest)?;
        if count > ENTRIES_MAX {
            return Err(IndexFault::TooMany);
        }
        let mut entries = Vec::new();
        let mut path = Vec::new();
        for _ in 0..count {
            let found = entry(&mut rest, version, &mut path)?;
            entries.extend(found);
        }
        if rest.starts_with(b"link") {
            return Err(IndexFault::Split);
        }
        // A stranger's index need not keep the order.
        entries.sort_by(|a: &Entry, b: &Entry| a.path.cmp(&b.path));
        entries.dedup_by(|a, b| a.path == b.path);
        Ok(Self { entries })
    }
}

/// Reads one entry; `None` for one of an unfinished merge and for a folder of a sparse checkout.
fn entry(rest: &mut &[u8], version: u32, path: &mut Vec<u8>) -> Result<Option<Entry>, IndexFault> {
    let whole = *rest;
    let mut times = [0; 4];
    for time in &mut times {
        *time = number(rest)?;
    }
    let (_device, inode, mode) = (number(rest)?, number(rest)?, number(rest)?);
    let (_user, _group, size) = (number(rest)?, number(rest)?, number(rest)?);
    let id =
        *rest.split_off(..size_of::<Id>()).and_then(<[u8]>::as_array).ok_or(IndexFault::Short)?;
    let flags = half(rest)?;
    if version > 2 && flags & 0x4000 != 0 {
        half(rest)?;
    }
    if version == 4 {
        let kept = path.len().checked_sub(varint(rest)?).ok_or(IndexFault::Path)?;
        path.truncate(kept);
    } else {
        path.clear();
    }
    let length = rest.iter().position(|&byte| byte == 0).ok_or(IndexFault::Short)?;
    path.extend(&rest[..length]);
    *rest = &rest[length + 1..];
    if path.is_empty() || path.len() > PATH_BYTES_MAX {
        return Err(IndexFault::Path);
    }
    if version < 4 {
        // Filled up to a multiple of eight, with at least the one NUL that ends the path.
        let used = whole.len() - rest.len();
        let fill = used.next_multiple_of(8) - used;
        rest.split_off(..fill).ok_or(IndexFault::Short)?;
    }
    let stage = flags >> 12 & 3;
    let Some(mode) = file_mode(mode).filter(|_| stage == 0) else { return Ok(None) };
    let [changed, changed_ns, modified, modified_ns] = times;
    let stamp =
        Stamp { changed: (changed, changed_ns), modified: (modified, modified_ns), inode, size };
    Ok(Some(Entry { path: path.clone(), mode, id, stamp }))
}

fn file_mode(mode: u32) -> Option<FileMode> {
    match mode {
        0o100_644 => Some(FileMode::Regular),
        0o100_755 => Some(FileMode::Executable),
        0o120_000 => Some(FileMode::Symlink),
        0o160_000 => Some(FileMode::Submodule),
        _ => None,
    }
}

fn number(rest: &mut &[u8]) -> Result<u32, IndexFault> {
    let bytes = rest.split_off(..4).and_then(<[u8]>::as_array).ok_or(IndexFault::Short)?;
    Ok(u32::from_be_bytes(*bytes))
}

fn half(rest: &mut &[u8]) -> Result<u16, IndexFault> {
    let bytes = rest.split_off(..2).and_then(<[u8]>::as_array).ok_or(IndexFault::Short)?;
    Ok(u16::from_be_bytes(*bytes))
}

/// A number in as many bytes as it needs, as git's packs have them for offsets.
fn varint(rest: &mut &[u8]) -> Result<usize, IndexFault> {
    let mut value = 0_usize;
    loop {
        let [byte, behind @ ..] = *rest else { return Err(IndexFault::Short) };
        *rest = behind;
        value = value << 7 | usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Ok(value);
        }
        value += 1;
        if value > PATH_BYTES_MAX {
            return Err(IndexFault::Path);
        }
    }
}
