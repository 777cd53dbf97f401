//! `cargo xtask library`: the shared library as it ships, and the plugins beside it.
//!
//! Holds: how what ships is built, and the link of the shared library out of the static one, and of plugins once more.
//! Promises: soname, version and exported names are as `symbols` says, or it fails; a plugin has the rights that the loader
//! asks for; what ships names no path of this machine.
//! Leaves to others: what else is in a package (`package`), the linker (`glibc`).

use crate::files::{copy, make_folder, set_rights, write};
use crate::glibc::Glibc;
use crate::{Outcome, strip, symbols, tools};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The plugins that ship, by id.
pub const PLUGINS: [&str; 1] = ["connectwise"];

/// The package of the library.
pub const PACKAGE: &str = "psa-ffi";

/// How it is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Build {
    /// For products: optimised, with the profile `shipped`; it is built here.
    Shipped,
    /// For tests: what `cargo build --workspace` has made.
    Debug,
}

impl Build {
    /// Where cargo puts it.
    pub fn folder(self, root: &Path) -> PathBuf {
        tools::target(root).join(if self == Build::Shipped { "shipped" } else { "debug" })
    }
}

const USAGE: &str = "usage: cargo xtask library --out DIR [--debug] [--portable]";

/// `cargo xtask library --out DIR [--debug] [--portable]`: puts `libpsa_host.so` and `plugins/psa_<id>.so` into DIR.
pub fn run(root: &Path, arguments: &[String]) -> Outcome {
    let (mut out, mut build, mut glibc) = (None, Build::Shipped, Glibc::Here);
    let mut words = arguments.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match word {
            "--out" => out = words.next(),
            "--debug" => build = Build::Debug,
            "--portable" => glibc = Glibc::Oldest,
            _ => return Err(format!("{word}: {USAGE}")),
        }
    }
    let out = out.ok_or(USAGE)?;
    if build == Build::Shipped {
        cargo_build(root, &[PACKAGE])?;
    }
    put(root, build, glibc, Path::new(out))
}

/// Puts the library and the plugins, which are built, into a folder.
pub fn put(root: &Path, build: Build, glibc: Glibc, out: &Path) -> Outcome {
    make_folder(out)?;
    link(root, build, glibc, &out.join("libpsa_host.so"))?;
    strip::all(&out.join("libpsa_host.so"))?;
    for plugin in put_plugins(root, build, glibc, &out.join("plugins"))? {
        strip::all(&plugin)?;
    }
    Ok(())
}

/// Puts the plugins into a folder, under the names by which they are loaded.
pub fn put_plugins(root: &Path, build: Build, glibc: Glibc, folder: &Path) -> Result<Vec<PathBuf>, String> {
    make_folder(folder)?;
    let mut there = Vec::new();
    for id in PLUGINS {
        let to = folder.join(format!("psa_{id}.so"));
        match glibc {
            Glibc::Here => copy(&build.folder(root).join(format!("libpsa_{id}.so")), &to, 0o755)?,
            Glibc::Oldest => link_plugin(root, build, glibc, id, &to)?,
        }
        there.push(to);
    }
    Ok(there)
}

/// Links a plugin of what cargo has built, for another glibc. Told to link so itself, cargo would build everything anew.
fn link_plugin(root: &Path, build: Build, glibc: Glibc, id: &str, to: &Path) -> Outcome {
    let built = build.folder(root);
    let source = to.with_extension("rs");
    write(&source, &format!("extern crate psa_{id};\n"))?;
    let mut arguments = vec![format!("--crate-name=psa_{id}_plugin")];
    arguments.extend(["--crate-type=cdylib", "--edition=2024"].map(String::from));
    arguments.extend(linker_for_rust(root, glibc)?);
    // Of a library rustc lets anything be missing, also what only a newer glibc has.
    arguments.push("-Clink-arg=-Wl,--no-undefined".into());
    arguments.push(format!("-Ldependency={}", built.join("deps").display()));
    arguments.push(format!("--extern=psa_{id}={}", built.join(format!("libpsa_{id}.rlib")).display()));
    arguments.extend(["-o".into(), to.display().to_string(), source.display().to_string()]);
    let linked = tools::output("rustc", &arguments);
    let _ = std::fs::remove_file(&source);
    linked?;
    set_rights(to, 0o755)?;
    glibc.check(to)
}

/// What tells rustc to link for a glibc. The id, by which debug information is found, GCC would ask for by itself.
pub fn linker_for_rust(root: &Path, glibc: Glibc) -> Result<[String; 2], String> {
    Ok([format!("-Clinker={}", glibc.linker(root)?), format!("-Clink-arg={BUILD_ID}")])
}

const BUILD_ID: &str = "-Wl,--build-id=sha1";

/// Builds packages, and the plugins, as they ship.
pub fn cargo_build(root: &Path, packages: &[&str]) -> Outcome {
    let mut arguments = vec!["build".to_string()];
    arguments.extend(packages.iter().map(|package| format!("--package={package}")));
    arguments.extend(PLUGINS.iter().map(|id| format!("--package=psa-{id}")));
    cargo(root, arguments)
}

/// Links a program that cargo has built for what ships, for another glibc; of all it is made of only its own crate is compiled
/// once more.
pub fn link_program(root: &Path, glibc: Glibc, package: &str) -> Outcome {
    let mut arguments = ["rustc", "--package", package, "--bin", package, "--"].map(String::from).to_vec();
    arguments.extend(linker_for_rust(root, glibc)?);
    cargo(root, arguments)
}

/// Runs a command of cargo's that builds, with the profile and the paths of what ships.
fn cargo(root: &Path, mut arguments: Vec<String>) -> Outcome {
    arguments.splice(1..1, ["--locked", "--profile", "shipped"].map(String::from));
    let paths = machine_paths(root)?;
    let rust: Vec<String> = paths.iter().map(|(from, to)| format!("--remap-path-prefix={from}={to}")).collect();
    let c: Vec<String> = paths.iter().map(|(from, to)| format!("-ffile-prefix-map={from}={to}")).collect();
    println!("$ cargo {}", arguments.join(" "));
    let status = Command::new("cargo")
        .args(&arguments)
        .env("CARGO_ENCODED_RUSTFLAGS", rust.join("\u{1f}"))
        .env("CFLAGS", c.join(" "))
        .current_dir(root)
        .status();
    let status = status.map_err(|error| format!("cargo did not start: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`cargo {}` failed: {status}", arguments.join(" "))) }
}

/// The folders of this machine that compilers would write into what they make, and what stands there instead.
pub fn machine_paths(root: &Path) -> Result<Vec<(String, &'static str)>, String> {
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let cargo = std::env::var_os("CARGO_HOME").map_or_else(|| home.join(".cargo"), PathBuf::from);
    let shown = |path: &Path| path.display().to_string();
    let rust = tools::output("rustc", &["--print", "sysroot"])?;
    Ok(vec![(shown(root), "/psa-bridge"), (shown(&cargo), "/cargo"), (rust.trim().to_string(), "/rust")])
}

/// Links the shared library. rustc could not: with rust-lld it passes over a version script, with GNU ld it has one already.
pub fn link(root: &Path, build: Build, glibc: Glibc, to: &Path) -> Outcome {
    if !cfg!(target_os = "linux") {
        return Err("the shared library is linked on Linux only so far".into());
    }
    let archive = build.folder(root).join("libpsa_host.a");
    if !archive.is_file() {
        return Err(format!("{} is not there; run `cargo build --workspace`", archive.display()));
    }
    let names = symbols::listed(root)?;
    let script = to.with_extension("map");
    write(&script, &symbols::version_script(&names))?;
    let mut arguments = vec!["-shared".to_string(), "-o".into(), to.display().to_string()];
    arguments.extend(linker_flags(&script));
    // Nothing refers to them yet, so the linker would not take them out of the archive.
    arguments.extend(names.iter().map(|name| format!("-Wl,-u,{name}")));
    arguments.push(archive.display().to_string());
    arguments.extend(native_libraries()?);
    let linked = glibc.linker(root).and_then(|linker| tools::output(&linker, &arguments));
    let _ = std::fs::remove_file(&script);
    linked?;
    glibc.check(to)?;
    symbols::check(root, to)
}

fn linker_flags(script: &Path) -> Vec<String> {
    let mut flags =
        vec![format!("-Wl,-soname,{}", symbols::SONAME), format!("-Wl,--version-script={}", script.display())];
    let always = [
        "-Wl,--gc-sections",
        BUILD_ID,
        "-Wl,--as-needed",
        "-Wl,--no-undefined",
        "-Wl,-z,relro,-z,now",
        // The host has threads of its own: dlclose must not take their code away.
        "-Wl,-z,nodelete",
    ];
    flags.extend(always.map(String::from));
    flags
}

/// What Rust's standard library wants from the system. Our dependencies want nothing beyond, or the link fails and names it.
pub fn native_libraries() -> Result<Vec<String>, String> {
    let scratch = std::env::temp_dir().join(format!("psa-native-{}.a", std::process::id()));
    let source = scratch.with_extension("rs");
    write(&source, "")?;
    let output = Command::new("rustc")
        .args(["--crate-type", "staticlib", "--crate-name", "psa_native", "--print", "native-static-libs", "-o"])
        .args([&scratch, &source])
        .output();
    let _ = std::fs::remove_file(&scratch);
    let _ = std::fs::remove_file(&source);
    let said = output.map_err(|error| format!("rustc did not start: {error}"))?.stderr;
    let said = String::from_utf8_lossy(&said).into_owned();
    let listed = said.lines().find_map(|line| line.split_once("native-static-libs: "));
    let (_, listed) = listed.ok_or_else(|| format!("rustc does not name its native libraries: {said}"))?;
    Ok(listed.split_whitespace().map(String::from).collect())
}
