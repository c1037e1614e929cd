//! Pushes that GitHub declines: the hook that git asks, and the report that it makes of it.

use std::{fs, io, os::unix::fs::PermissionsExt, path::Path};

/// Names of 40 hexadecimal digits would be taken for commits.
const SHA_LEN: usize = 40;
const UPDATE: &str = include_str!("update.sh");
/// What git reports of every hook.
const DECLINED: &[u8] = b" hook declined";
/// The band of the side-band that has git's report; the others are for people.
const REPORT_BAND: u8 = 1;
/// A packet's length has four digits and counts itself.
const LENGTH_LEN: usize = 4;
const PACKET_BYTES_MAX: usize = 65_520;

/// Writes the hook that every push goes through.
pub(crate) fn install_update_hook(dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    let path = dir.join("update");
    fs::write(&path, UPDATE)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
}

/// Why GitHub does not take a branch or tag of this name, which is given without `refs/heads/`.
pub(crate) fn blocked_name(name: &str) -> Option<&'static str> {
    if name.starts_with("refs/") {
        return Some("Sorry, branch or tag names starting with 'refs/' are not allowed.");
    }
    let is_sha_like = name.len() == SHA_LEN && name.bytes().all(|it| it.is_ascii_hexdigit());
    is_sha_like
        .then_some("Sorry, branch or tag names consisting of 40 hex characters are not allowed.")
}

/// Git says "hook declined" whichever rule a hook has; GitHub says which.
pub(crate) fn name_rules(report: Vec<u8>, rule_of: impl Fn(&str) -> &'static str) -> Vec<u8> {
    let Some(packets) = packets(&report) else { return report };
    let (mut out, mut status) = (Vec::new(), Vec::new());
    for packet in packets {
        match packet {
            Some([REPORT_BAND, part @ ..]) => status.extend_from_slice(part),
            Some(other) => write_packet(&mut out, other),
            None => {
                write_status(&mut out, &std::mem::take(&mut status), &rule_of);
                out.extend_from_slice(b"0000");
            }
        }
    }
    write_status(&mut out, &status, &rule_of);
    out
}

fn write_status(out: &mut Vec<u8>, status: &[u8], rule_of: &impl Fn(&str) -> &'static str) {
    let mut named = Vec::new();
    for line in packets(status).unwrap_or_default() {
        match line.map(|line| (line, declined(line))) {
            Some((_, Some(name))) => {
                let line = format!("ng {name} {} hook declined\n", rule_of(name));
                write_packet(&mut named, line.as_bytes());
            }
            Some((line, None)) => write_packet(&mut named, line),
            None => named.extend_from_slice(b"0000"),
        }
    }
    for part in named.chunks(PACKET_BYTES_MAX - LENGTH_LEN - 1) {
        write_packet(out, &[&[REPORT_BAND], part].concat());
    }
}

/// The ref that a line says a hook declined.
fn declined(line: &[u8]) -> Option<&str> {
    let name = line.trim_ascii_end().strip_prefix(b"ng ")?.strip_suffix(DECLINED)?;
    std::str::from_utf8(name).ok()
}

/// The packets of a stream, without their lengths; none for one that ends a section. Nothing at
/// all when these are no packets.
fn packets(mut bytes: &[u8]) -> Option<Vec<Option<&[u8]>>> {
    let mut packets = Vec::new();
    while !bytes.is_empty() {
        let length = std::str::from_utf8(bytes.get(..LENGTH_LEN)?).ok()?;
        match usize::from_str_radix(length, 16).ok()? {
            0 => {
                packets.push(None);
                bytes = bytes.get(LENGTH_LEN..)?;
            }
            length => {
                packets.push(Some(bytes.get(LENGTH_LEN..length)?));
                bytes = bytes.get(length..)?;
            }
        }
    }
    Some(packets)
}

fn write_packet(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(format!("{:04x}", bytes.len() + LENGTH_LEN).as_bytes());
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_says_which_rule_declined_and_keeps_everything_else() {
        let report = |line: &str| {
            let (mut status, mut out) = (Vec::new(), Vec::new());
            write_packet(&mut out, b"\x02GH006");
            for line in ["unpack ok\n", "ok refs/heads/a\n", line] {
                write_packet(&mut status, line.as_bytes());
            }
            status.extend_from_slice(b"0000");
            write_packet(&mut out, &[b"\x01", status.as_slice()].concat());
            out.extend_from_slice(b"0000");
            out
        };
        let named = name_rules(report("ng refs/heads/b hook declined\n"), |_| "protected branch");
        assert_eq!(named, report("ng refs/heads/b protected branch hook declined\n"));
        let other = report("ng refs/heads/b non-fast-forward\n");
        assert_eq!(name_rules(other.clone(), |_| "x"), other);
        assert_eq!(name_rules(b"<html>".to_vec(), |_| "x"), b"<html>");
    }

    #[test]
    fn names_that_would_be_taken_for_others_are_blocked() {
        let check = |name: &str, blocked| assert_eq!(blocked_name(name).is_some(), blocked);
        check("refs/heads/x", true);
        check("refs", false);
        check(&"a0".repeat(20), true);
        check(&"A0".repeat(20), true);
        check(&"a0".repeat(19), false);
        check(&"g0".repeat(20), false);
    }
}
