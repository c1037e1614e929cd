//! Names as git writes them: plain, or quoted like a string in C.

/// Reads a quoted name at the start of `text`; the rest of the text comes with it.
pub(super) fn unquote(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut rest = text.strip_prefix(b"\"")?;
    let mut name = Vec::new();
    loop {
        let (&first, behind) = rest.split_first()?;
        rest = behind;
        match first {
            b'"' => return Some((name, rest)),
            b'\\' => {
                let (byte, behind) = unescape(rest)?;
                name.push(byte);
                rest = behind;
            }
            byte => name.push(byte),
        }
    }
}

fn unescape(text: &[u8]) -> Option<(u8, &[u8])> {
    if let [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', rest @ ..] = text {
        return Some(((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'), rest));
    }
    let (first, rest) = text.split_first()?;
    let byte = match first {
        b'a' => 0x07,
        b'b' => 0x08,
        b't' => b'\t',
        b'n' => b'\n',
        b'v' => 0x0b,
        b'f' => 0x0c,
        b'r' => b'\r',
        b'"' => b'"',
        b'\\' => b'\\',
        _ => return None,
    };
    Some((byte, rest))
}

/// Both names of the line `diff --git a/x b/x`, which are the same without renames.
pub(super) fn header_path(names: &[u8]) -> Option<Vec<u8>> {
    let path = if names.starts_with(b"\"") {
        let (old, rest) = unquote(names)?;
        let (new, rest) = unquote(rest.strip_prefix(b" ")?)?;
        let path = old.strip_prefix(b"a/")?.to_vec();
        (rest.is_empty() && new.strip_prefix(b"b/")? == path).then_some(path)?
    } else {
        // `a/` + path + ` ` + `b/` + path
        let length = names.len().checked_sub(5)? / 2;
        let path = names.get(2..2 + length)?;
        let same = names == [b"a/", path, b" b/", path].concat();
        same.then(|| path.to_vec())?
    };
    Some(path)
}

/// The name behind `--- ` or `+++ `: `None` is `/dev/null`.
pub(super) fn side_path<'a>(name: &'a [u8], prefix: &[u8]) -> Option<Option<Vec<u8>>> {
    if name == b"/dev/null" {
        return Some(None);
    }
    // Git ends a name that holds a space with a tab.
    let name = name.strip_suffix(b"\t").unwrap_or(name);
    if name.starts_with(b"\"") {
        let (name, rest) = unquote(name)?;
        return rest.is_empty().then(|| name.strip_prefix(prefix).map(|it| Some(it.to_vec())))?;
    }
    let path: &'a [u8] = name.strip_prefix(prefix)?;
    Some(Some(path.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_git_writes_them() {
        for (names, path) in [
            ("a/x b/x", Some("x")),
            ("a/x b/x b/x b/x", Some("x b/x")),
            (r#""a/x\"y" "b/x\"y""#, Some("x\"y")),
            (r#""a/x\ny" "b/x\ny""#, Some("x\ny")),
            (r#""a/\303\274" "b/\303\274""#, Some("ü")),
            ("a/x b/y", None),
            ("a/x  b/x", None),
            ("x x", None),
            ("", None),
            (r#""a/x" b/x"#, None),
            (r#""a/x" "b/x" "#, None),
            (r#""a/x\q" "b/x\q""#, None),
            (r#""a/x\"#, None),
        ] {
            let found = header_path(names.as_bytes());
            assert_eq!(found.as_deref(), path.map(str::as_bytes), "{names}");
        }
    }
}
