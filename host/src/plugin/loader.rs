//! From a file to a checked table.
//!
//! Holds: [`load`] for files, [`link`] for plugins that are part of the product.
//! Promises: no code of a file runs before `trust` has passed; nothing is ever unloaded; a refusal is a [`Refusal`].
//! Leaves to others: which files there are (`registry`).

use super::refusal::{Refusal, Why};
use super::table::Plugin;
use super::trust;
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use psa_host_api::abi::layout::{self, LayoutFn};
use psa_host_api::abi::*;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Loads the plugin in the file `path`, of which a private copy is kept in `folder`.
pub(super) fn load(path: &Path, sha256: Option<&str>, folder: &Path) -> Result<Plugin, Refusal> {
    load_file(path, sha256, folder).map_err(|why| why.of(path))
}

fn load_file(path: &Path, sha256: Option<&str>, folder: &Path) -> Result<Plugin, Why> {
    let trusted = trust::check(path, sha256, folder)?;
    // SAFETY: loading runs the library's constructors. That the file may become code of this process is what `trust`
    // has checked; that it does nothing odd then is the contract ("does nothing but return the table").
    let library = unsafe { Library::open(Some(&trusted.copy), RTLD_NOW | RTLD_LOCAL) }
        .map_err(|error| Why::Load(in_words_of_the_original(&error, &trusted.copy, path)))?;
    // Never unloaded: threads, thread-locals and static tables of the plugin may be in use until the process ends.
    let library = std::mem::ManuallyDrop::new(library);
    // SAFETY: the type is the one that psa_plugin.h declares for this name.
    let entry = unsafe { library.get::<unsafe extern "C" fn(u32) -> *const psa_plugin>(b"psa_plugin_entry\0") }
        .map_err(|_| Why::NoEntry)?;
    // SAFETY: an entry may be called from any thread at any time, with the host's ABI; so says psa_plugin.h.
    let table = unsafe { entry(PSA_ABI) };
    // SAFETY: just returned by a plugin's entry.
    let mut plugin = unsafe { Plugin::read(table, Some(path.to_owned())) }?;
    // SAFETY: Plugin::read has accepted the table, so it is at least as long as ours.
    let minor = unsafe { (*table).abi_minor };
    if minor == PSA_ABI_MINOR {
        check_layout(&library, plugin.manifest.sdk.as_deref())?;
    }
    plugin.sha256 = Some(trusted.sha256);
    Ok(plugin)
}

/// A plugin that is linked into the product.
pub(super) fn link(entry: psa_plugin_entry_fn) -> Result<Plugin, Refusal> {
    let refused = |why: Why| why.of(Path::new("(linked in)"));
    let entry = entry.ok_or(Why::NoEntry).map_err(refused)?;
    // SAFETY: an entry may be called from any thread at any time, with the host's ABI; so says psa_plugin.h.
    let table = unsafe { entry(PSA_ABI) };
    // SAFETY: just returned by a plugin's entry.
    unsafe { Plugin::read(table, None) }.map_err(refused)
}

/// Plugins of our SDK tell their layout; at the same minor it must be the same. Across SDK versions the type that
/// describes a layout is itself another one, so only plugins that name this SDK's version are asked.
fn check_layout(library: &Library, sdk: Option<&str>) -> Result<(), Why> {
    if sdk != Some(psa_host_api::sdk::VERSION) {
        return Ok(());
    }
    // SAFETY: the type is the one under which the SDK exports this name.
    let Ok(theirs) = (unsafe { library.get::<LayoutFn>(b"psa_plugin_layout\0") }) else { return Ok(()) };
    // SAFETY: the function only returns a constant.
    let theirs = unsafe { theirs() };
    match catch_unwind(AssertUnwindSafe(|| layout::compare(theirs))) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(words)) => Err(Why::Layout(in_short(&words))),
        Err(_) => Err(Why::Layout("the two descriptions could not be compared".to_owned())),
    }
}

/// The comparison prints both layouts first; what differs comes behind its count of errors.
fn in_short(words: &str) -> String {
    let differs = words.rsplit_once("error(s).").map_or(words, |(_, behind)| behind);
    differs.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(300).collect()
}

/// The loader speaks of our copy; people know the file they named.
fn in_words_of_the_original(error: &libloading::Error, copy: &Path, path: &Path) -> String {
    use std::error::Error as _;
    let words = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    words.replace(&copy.display().to_string(), &path.display().to_string())
}
