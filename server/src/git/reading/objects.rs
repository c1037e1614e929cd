//! Contents as objects of git, named and written by us.

use flate2::{Compression, write::ZlibEncoder};
use sha1::{Digest, Sha1};
use std::{
    fs,
    io::{self, Write},
    path::Path,
};

/// The name of an object.
pub(in crate::git) type Id = [u8; 20];

fn header(content: &[u8]) -> String {
    format!("blob {}\0", content.len())
}

pub(super) fn id_of(content: &[u8]) -> Id {
    let mut hash = Sha1::new();
    hash.update(header(content));
    hash.update(content);
    hash.finalize().into()
}

/// Keeps a content in a folder of objects, where git finds it by its name.
pub(super) fn keep(objects: &Path, id: &Id, content: &[u8]) -> io::Result<()> {
    let name = hex::encode(id);
    let (folder, file) = name.split_at(2);
    let folder = objects.join(folder);
    let path = folder.join(file);
    if path.try_exists()? {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(header(content).as_bytes())?;
    packed.write_all(content)?;
    fs::write(path, packed.finish()?)
}
