//! Reads a diff, strictly.

use super::{
    Blob, Body, Change, DIFF_FILES_MAX, DiffError, FileDiff, FileMode, Hunk, quote, scan,
    scan::Scan,
};
use crate::git::path::RepoPath;

pub(super) fn files(text: &[u8]) -> Result<Vec<FileDiff>, DiffError> {
    let mut scan = Scan::new(text);
    let mut files = Vec::new();
    while !scan.is_at_end() {
        if files.len() == DIFF_FILES_MAX {
            return Err(DiffError::TooManyFiles { max: DIFF_FILES_MAX });
        }
        files.push(file(text, &mut scan)?);
    }
    Ok(files)
}

fn file(text: &[u8], scan: &mut Scan<'_>) -> Result<FileDiff, DiffError> {
    let names = scan.expect(b"diff --git ", "`diff --git`")?;
    let path = quote::header_path(names).ok_or_else(|| scan.fault("one name, twice"))?;
    let path = RepoPath::parse_known(&path).map_err(|fault| DiffError::Path {
        path: String::from_utf8_lossy(&path).escape_debug().to_string(),
        fault,
    })?;
    let change = change(&path, scan)?;
    let body = match change {
        Change::Mode { .. } => Body::Empty,
        Change::Added(_) | Change::Removed(_) | Change::Modified { .. } => {
            body(&path, &change, scan)?
        }
    };
    let leads_out = leads_out(text, &path, &change, &body);
    Ok(FileDiff { path, change, body, leads_out })
}

/// The lines between `diff --git` and the content.
fn change(path: &RepoPath, scan: &mut Scan<'_>) -> Result<Change, DiffError> {
    if let Some(mode) = scan.take(b"new file mode ") {
        let mode = file_mode(path, mode)?;
        let (old, new, _) = index(scan)?;
        return if is_zero(&old) && !is_zero(&new) {
            Ok(Change::Added(Blob { mode, id: new }))
        } else {
            Err(scan.fault("an addition from nothing"))
        };
    }
    if let Some(mode) = scan.take(b"deleted file mode ") {
        let mode = file_mode(path, mode)?;
        let (old, new, _) = index(scan)?;
        return if is_zero(&new) && !is_zero(&old) {
            Ok(Change::Removed(Blob { mode, id: old }))
        } else {
            Err(scan.fault("a removal to nothing"))
        };
    }
    let modes = match scan.take(b"old mode ") {
        Some(old) => {
            let old = stays_file(path, file_mode(path, old)?)?;
            let new = scan.expect(b"new mode ", "`new mode`")?;
            Some((old, stays_file(path, file_mode(path, new)?)?))
        }
        None => None,
    };
    if let (Some((old, new)), false) = (modes, next_is_index(scan)) {
        return keeps_kind(old, new, Change::Mode { old, new }, scan);
    }
    let (old_id, new_id, mode) = index(scan)?;
    let (old, new) = match (modes, mode) {
        (Some(modes), None) => modes,
        (None, Some(mode)) => {
            let mode = stays_file(path, file_mode(path, mode)?)?;
            (mode, mode)
        }
        (Some(_), Some(_)) | (None, None) => return Err(scan.fault("one mode")),
    };
    if is_zero(&old_id) || is_zero(&new_id) {
        return Err(scan.fault("two object names"));
    }
    let change = Change::Modified {
        old: Blob { mode: old, id: old_id },
        new: Blob { mode: new, id: new_id },
    };
    keeps_kind(old, new, change, scan)
}

fn next_is_index(scan: &Scan<'_>) -> bool {
    scan.peek().is_some_and(|line| line.starts_with(b"index "))
}

/// Git writes a file that turns into a symlink as a removal and an addition.
fn keeps_kind(
    old: FileMode,
    new: FileMode,
    change: Change,
    scan: &Scan<'_>,
) -> Result<Change, DiffError> {
    let links = [old, new].into_iter().filter(|it| matches!(it, FileMode::Symlink)).count();
    if links == 1 { Err(scan.fault("a removal and an addition")) } else { Ok(change) }
}

fn file_mode(path: &RepoPath, mode: &[u8]) -> Result<FileMode, DiffError> {
    match mode {
        b"100644" => Ok(FileMode::Regular),
        b"100755" => Ok(FileMode::Executable),
        b"120000" => Ok(FileMode::Symlink),
        b"160000" => Ok(FileMode::Submodule),
        mode => Err(DiffError::Mode {
            path: path.clone(),
            mode: String::from_utf8_lossy(mode).escape_debug().to_string(),
        }),
    }
}

/// A submodule comes and goes, and never changes.
fn stays_file(path: &RepoPath, mode: FileMode) -> Result<FileMode, DiffError> {
    match mode {
        FileMode::Regular | FileMode::Executable | FileMode::Symlink => Ok(mode),
        FileMode::Submodule => Err(DiffError::Submodule { path: path.clone() }),
    }
}

/// The line `index <old>..<new>[ <mode>]`.
fn index<'a>(scan: &mut Scan<'a>) -> Result<(String, String, Option<&'a [u8]>), DiffError> {
    const EXPECTED: &str = "`index` with two full object names";
    let line = scan.expect(b"index ", EXPECTED)?;
    let ids_end = line.iter().position(|&byte| byte == b' ').unwrap_or(line.len());
    let mode = line.get(ids_end + 1..);
    let ids = std::str::from_utf8(&line[..ids_end]).ok().and_then(|ids| ids.split_once(".."));
    match ids {
        Some((old, new)) if is_id(old) && is_id(new) && old.len() == new.len() && old != new => {
            Ok((old.to_owned(), new.to_owned(), mode))
        }
        _ => Err(scan.fault(EXPECTED)),
    }
}

fn is_id(id: &str) -> bool {
    matches!(id.len(), 40 | 64)
        && id.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

fn is_zero(id: &str) -> bool {
    id.bytes().all(|byte| byte == b'0')
}

fn body(path: &RepoPath, change: &Change, scan: &mut Scan<'_>) -> Result<Body, DiffError> {
    if scan.take(b"GIT binary patch").is_some_and(<[u8]>::is_empty) {
        binary(scan)?;
        binary(scan)?;
        return Ok(Body::Binary);
    }
    let Some(old) = scan.take(b"--- ") else {
        return match change {
            Change::Added(_) | Change::Removed(_) if is_boundary(scan) => Ok(Body::Empty),
            _ => Err(scan.fault("the changed content")),
        };
    };
    let new = scan.expect(b"+++ ", "`+++`")?;
    let wants = |there: bool| Some(there.then(|| path.as_bytes().to_vec()));
    let adds = matches!(change, Change::Added(_));
    let removes = matches!(change, Change::Removed(_));
    if quote::side_path(old, b"a/") != wants(!adds)
        || quote::side_path(new, b"b/") != wants(!removes)
    {
        return Err(scan.fault("the names of the first line"));
    }
    let mut hunks = vec![hunk(scan)?];
    while !is_boundary(scan) {
        hunks.push(hunk(scan)?);
    }
    Ok(Body::Text(hunks))
}

fn is_boundary(scan: &Scan<'_>) -> bool {
    scan.is_at_end() || scan.peek().is_some_and(|line| line.starts_with(b"diff --git "))
}

/// One direction of a binary change: a size and lines of base 85, ended by an empty line.
fn binary(scan: &mut Scan<'_>) -> Result<(), DiffError> {
    const EXPECTED: &str = "`literal` or `delta` with a size";
    let size = match scan.take(b"literal ") {
        Some(size) => size,
        None => scan.expect(b"delta ", EXPECTED)?,
    };
    if number(size).is_none() {
        return Err(scan.fault(EXPECTED));
    }
    loop {
        let line = scan.next_line("an empty line behind binary data")?;
        if line.is_empty() {
            return Ok(());
        }
        if !line[0].is_ascii_alphabetic() || line[1..].len() % 5 != 0 || !is_base85(&line[1..]) {
            return Err(scan.fault("binary data"));
        }
    }
}

fn is_base85(text: &[u8]) -> bool {
    text.iter()
        .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&()*+-;<=>?@^_`{|}~".contains(byte))
}

fn hunk(scan: &mut Scan<'_>) -> Result<Hunk, DiffError> {
    const EXPECTED: &str = "`@@ -line,count +line,count @@`";
    let line = scan.next_line(EXPECTED)?;
    let header = scan.span_of(line);
    let (old, new) = ranges(line).ok_or_else(|| scan.fault(EXPECTED))?;
    let start = scan.offset();
    let (mut left, mut added, mut removed) = ((old.1, new.1), 0, 0);
    while left != (0, 0) {
        let line = scan.next_line("as many lines as the hunk says")?;
        let (from_old, from_new) = match line.first() {
            Some(b' ') => (1, 1),
            Some(b'-') => (1, 0),
            Some(b'+') => (0, 1),
            Some(b'\\') if line == NO_NEWLINE => (0, 0),
            _ => return Err(scan.fault("a line of the old or the new file")),
        };
        let (Some(old), Some(new)) = (left.0.checked_sub(from_old), left.1.checked_sub(from_new))
        else {
            return Err(scan.fault("as many lines as the hunk says"));
        };
        left = (old, new);
        added += from_new - from_old.min(from_new);
        removed += from_old - from_old.min(from_new);
    }
    if scan.peek() == Some(NO_NEWLINE) {
        scan.next_line("")?;
    }
    if added == 0 && removed == 0 {
        return Err(scan.fault("a hunk that changes something"));
    }
    let lines = start..scan.offset();
    Ok(Hunk { old_start: old.0, new_start: new.0, added, removed, header, lines })
}

const NO_NEWLINE: &[u8] = b"\\ No newline at end of file";

/// Start and count of both sides.
fn ranges(line: &[u8]) -> Option<((u32, u32), (u32, u32))> {
    let rest = line.strip_prefix(b"@@ -")?;
    let end = rest.windows(3).position(|it| it == b" @@")?;
    if !matches!(rest.get(end + 3), None | Some(b' ')) {
        return None;
    }
    let middle = rest[..end].windows(2).position(|it| it == b" +")?;
    Some((range(&rest[..middle])?, range(&rest[middle + 2..end])?))
}

fn range(text: &[u8]) -> Option<(u32, u32)> {
    match text.iter().position(|&byte| byte == b',') {
        Some(comma) => Some((number(&text[..comma])?, number(&text[comma + 1..])?)),
        None => Some((number(text)?, 1)),
    }
}

fn number(text: &[u8]) -> Option<u32> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// A symlink that comes or changes must stay inside, so its target must stand in the diff.
fn leads_out(text: &[u8], path: &RepoPath, change: &Change, body: &Body) -> Option<String> {
    let mode = match change {
        Change::Added(new) | Change::Modified { new, .. } => new.mode,
        Change::Mode { new, .. } => *new,
        Change::Removed(_) => return None,
    };
    if mode != FileMode::Symlink {
        return None;
    }
    let target = match body {
        Body::Text(hunks) if hunks.len() == 1 && hunks[0].added == 1 => {
            let mut lines = scan::lines(&text[hunks[0].lines.clone()]);
            let target = lines.find_map(|line| line.strip_prefix(b"+")).unwrap_or_default();
            if lines.next() == Some(NO_NEWLINE) { target } else { b"" }
        }
        // Empty, binary or with a line break: no target that a person writes.
        Body::Text(_) | Body::Empty | Body::Binary => b"",
    };
    let stays = path.may_link_to(target);
    (!stays).then(|| String::from_utf8_lossy(target).escape_debug().to_string())
}
