//! Which plugins there are.
//!
//! Holds: [`Registry`]: the loaded ones, the refused ones, and what was running when an earlier process died.
//! Promises: one plugin per id; a file that was named must load, one that was found in a folder may be refused.
//! Leaves to others: loading (`loader`), running (`instance`).

use super::loader;
use super::refusal::{Refusal, Why};
use super::running::Crash;
use super::table::Plugin;
use crate::log::Log;
use psa_host_api::abi::psa_plugin_entry_fn;
use psa_host_api::{Code, Error};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where a plugin comes from, as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// A plugin file, or a folder of them.
    pub path: PathBuf,
    /// What the file must be, SHA-256 in hex.
    pub sha256: Option<String>,
}

/// The plugins of a host.
#[derive(Debug)]
pub struct Registry {
    copies: PathBuf,
    plugins: BTreeMap<String, Arc<Plugin>>,
    refused: Vec<Refusal>,
    crashes: Vec<Crash>,
}

impl Registry {
    /// None yet; copies go to `copies`, a folder that only this user can write; `crashes` is what an earlier process
    /// left behind.
    pub fn new(copies: PathBuf, crashes: Vec<Crash>) -> Registry {
        Registry { copies, plugins: BTreeMap::new(), refused: Vec::new(), crashes }
    }

    /// Loads what `source` names. An error for a file; a folder always succeeds, and what is refused in it is kept in
    /// [`Registry::refused`].
    pub fn load(&mut self, source: &Source, log: &Log) -> Result<(), Refusal> {
        if !source.path.is_dir() {
            return self.load_file(&source.path, source.sha256.as_deref(), log);
        }
        let listed =
            std::fs::read_dir(&source.path).map_err(|error| Why::Unreadable(error.to_string()).of(&source.path))?;
        let mut files: Vec<PathBuf> = listed.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
        files.retain(|path| is_plugin_name(path));
        files.sort();
        for file in files {
            if let Err(refusal) = self.load_file(&file, None, log) {
                log.error("host", &refusal.to_string());
                self.refused.push(refusal);
            }
        }
        Ok(())
    }

    fn load_file(&mut self, path: &Path, sha256: Option<&str>, log: &Log) -> Result<(), Refusal> {
        let plugin = loader::load(path, sha256, &self.copies)?;
        if !name_fits(path, &plugin.manifest.id) {
            let id = &plugin.manifest.id;
            log.warn(
                "host",
                &format!("the plugin {} calls itself \"{id}\"; its file should be psa_{id}.so", path.display()),
            );
        }
        self.add(plugin, log)
    }

    /// Adds a plugin that is linked into the product.
    pub fn link(&mut self, entry: psa_plugin_entry_fn, log: &Log) -> Result<(), Refusal> {
        let plugin = loader::link(entry)?;
        self.add(plugin, log)
    }

    fn add(&mut self, plugin: Plugin, log: &Log) -> Result<(), Refusal> {
        let id = plugin.manifest.id.clone();
        let place = |plugin: &Plugin| plugin.path.clone().unwrap_or_else(|| "(linked in)".into());
        if let Some(there) = self.plugins.get(&id) {
            // The same file found twice is one plugin.
            if there.sha256.is_some() && there.sha256 == plugin.sha256 {
                return Ok(());
            }
            let other = place(there).display().to_string();
            return Err(Why::Twice { id, other }.of(&place(&plugin)));
        }
        log.info("host", &format!("plugin {id} {} from {}", plugin.manifest.version, place(&plugin).display()));
        self.plugins.insert(id, Arc::new(plugin));
        Ok(())
    }

    /// The plugin of an id.
    pub fn get(&self, id: &str) -> Option<Arc<Plugin>> {
        self.plugins.get(id).cloned()
    }

    /// Why there is no plugin of an id: names the files that should have been it.
    pub fn absent(&self, id: &str) -> Error {
        let told = |refusal: &&Refusal| name_fits(&refusal.path, id);
        let why: Vec<String> = self.refused.iter().filter(told).map(ToString::to_string).collect();
        let id: String = id.chars().take(64).collect();
        let message = if !why.is_empty() {
            format!("there is no plugin \"{id}\", because its file was refused: {}", why.join(" "))
        } else if !self.refused.is_empty() {
            format!("there is no plugin \"{id}\"; plugins.list says which there are, and which files were refused")
        } else {
            format!("there is no plugin \"{id}\"; plugins.list says which there are")
        };
        Error::new(Code::NotFound, message).because("plugin_missing")
    }

    /// All, by id.
    pub fn plugins(&self) -> impl Iterator<Item = &Arc<Plugin>> {
        self.plugins.values()
    }

    /// What was found in a folder and not loaded.
    pub fn refused(&self) -> &[Refusal] {
        &self.refused
    }

    /// What was running when an earlier process died.
    pub fn crashes(&self) -> &[Crash] {
        &self.crashes
    }
}

fn is_plugin_name(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let stem = name.strip_prefix("lib").unwrap_or(name);
    // The host's own library often lies beside the plugins.
    let is_host = stem.strip_prefix("psa_host").is_some_and(|rest| rest == std::env::consts::DLL_SUFFIX);
    stem.starts_with("psa_") && stem.ends_with(std::env::consts::DLL_SUFFIX) && !is_host
}

fn name_fits(path: &Path, id: &str) -> bool {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    stem.strip_prefix("lib").unwrap_or(stem) == format!("psa_{id}")
}
