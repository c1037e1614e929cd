//! Writes the JavaScript glue of a WebAssembly module, for browsers.
//!
//! Takes the arguments that the published `wasm-bindgen` takes for the same job, so that either
//! program can stand in `PATH`.

use anyhow::{Context, Result, bail, ensure};
use wasm_bindgen_cli_support::Bindgen;

const USAGE: &str =
    "usage: web-glue --target web --no-typescript --out-dir DIR --out-name NAME INPUT";

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (mut input, mut directory, mut name) = (None, None, None);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().with_context(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--target" => ensure!(value()? == "web", "only the target web is known\n{USAGE}"),
            "--no-typescript" => {}
            "--out-dir" => directory = Some(value()?),
            "--out-name" => name = Some(value()?),
            flag if flag.starts_with('-') => bail!("unknown argument {flag}\n{USAGE}"),
            _ => input = Some(argument),
        }
    }
    let (Some(input), Some(directory), Some(name)) = (input, directory, name) else {
        bail!(USAGE);
    };
    Bindgen::new()
        .input_path(&input)
        .out_name(&name)
        .web(true)?
        .typescript(false)
        .omit_default_module_path(false)
        .generate(&directory)
        .with_context(|| format!("could not write the glue of {input} to {directory}"))
}
