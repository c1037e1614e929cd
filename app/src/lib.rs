//! Drover's pages: rendered on the server, and brought to life by a few islands.
//!
//! - [`pages`], [`components`]: what people see; pages load, components show
//! - [`islands`], [`live`]: the only code that runs in the browser
//! - [`api`]: server functions, the doorways that forms post to
//! - [`routes`]: every address, typed; [`words`]: every enum as people read it
//! - [`backend`]: what pages need of the server, which implements it
//! - [`flash`]: the one error or word of success that a form leaves for the next page
//!
//! **Islands, not full hydration.** Measured with `wasm-release`, `wasm-opt -Oz` and brotli 11,
//! wasm and script together: hydrating the campaign page alone, with the router, costs 207 kB
//! (78 kB with a router and empty pages, the least that lazy routes could start from); the
//! islands of all pages cost 157 kB (46 kB of them is Leptos). Pages are forms and links, so
//! nothing but the editor, the log and the changes of others needs the browser; a page that
//! never reaches it need not be able to run there, cannot differ from what the server sent, and
//! calls [`backend`] without a server function between.

pub mod api;
#[cfg(feature = "ssr")]
pub mod backend;
pub mod components;
pub mod error;
#[cfg(feature = "ssr")]
pub mod flash;
pub mod islands;
pub mod live;
#[cfg(feature = "ssr")]
pub mod pages;
pub mod routes;
#[cfg(feature = "ssr")]
pub mod shell;
pub mod words;

#[cfg(feature = "ssr")]
pub use shell::{App, shell};

/// Wakes the islands of the page.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_islands();
}
