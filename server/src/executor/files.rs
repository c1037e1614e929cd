//! Hands texts to a child process in memory, so that none of them is ever on a disk.
//!
//! A child opens them itself, through the server's own entry in `/proc`, which only the server's
//! user may read.

use rustix::fs::{MemfdFlags, memfd_create};
use std::{
    fmt::Write as _,
    fs::File,
    io::{self, Write},
    os::fd::AsRawFd,
};

/// The standard streams are below, and shells know no number of two digits.
const FIRST: usize = 3;
const FILES_MAX: usize = 7;

/// Files in memory that a child gets. They have to live until it has opened them.
#[derive(Debug, Default)]
pub(super) struct Handed(Vec<File>);

impl Handed {
    /// Adds a text and answers the number of the file in the child.
    pub(super) fn add(&mut self, text: &[u8]) -> io::Result<String> {
        if self.0.len() == FILES_MAX {
            return Err(io::Error::other("a child gets no more files"));
        }
        let mut file = File::from(memfd_create("drover", MemfdFlags::CLOEXEC)?);
        file.write_all(text)?;
        self.0.push(file);
        Ok((FIRST + self.0.len() - 1).to_string())
    }

    /// Adds a text and answers a path of it, which serves the child's children as well.
    pub(super) fn add_path(&mut self, text: &[u8]) -> io::Result<String> {
        Ok(format!("/dev/fd/{}", self.add(text)?))
    }

    /// The redirections with which a shell opens the files.
    pub(super) fn redirections(&self) -> String {
        let mut text = String::new();
        for (number, file) in (FIRST..).zip(&self.0) {
            // Writing to a `String` cannot fail.
            let _ = write!(text, " {number}</proc/{}/fd/{}", std::process::id(), file.as_raw_fd());
        }
        text
    }
}
