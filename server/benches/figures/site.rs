//! What a browser has to load before a page is alive.

use super::{Figure, Goal};
use anyhow::Context;
use std::{fs, path::Path};

const KILOBYTES_MAX: f64 = 200.0;

/// The module and its glue, compressed as the server sends them.
pub(crate) fn transfer(site: &Path) -> anyhow::Result<Figure> {
    let mut bytes = 0_u32;
    for name in ["drover_bg.wasm.br", "drover.js.br"] {
        let path = site.join("pkg").join(name);
        let size = fs::metadata(&path)
            .with_context(|| format!("{} is missing: build the site first", path.display()))?
            .len();
        bytes += u32::try_from(size)?;
    }
    let measured = f64::from(bytes) / 1_000.0;
    Ok(Figure { id: "site_brotli", measured, unit: "kB", goal: Goal::AtMost(KILOBYTES_MAX) })
}
