//! The package for products, used from a folder it was never built for: pkg-config, CMake, and what it exports.

use psa_tests::compile::{root, run, target};
use psa_tests::embedded::Embedded;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;
use tempfile::TempDir;
use xtask::files::below;
use xtask::library::Build;
use xtask::tidy::dead_links;
use xtask::{guide, links, package, symbols};

/// Warnings that a product's own code may be compiled with.
const STRICT: [&str; 6] = ["-std=c99", "-g", "-Wall", "-Wextra", "-Wpedantic", "-Werror"];

/// What finds errors of memory and undefined behaviour on the C side, and what was never freed on either.
const SANITIZERS: [&str; 2] = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

/// The unpacked package. It is made once of what cargo has built, by the first test that wants it.
fn unpacked() -> PathBuf {
    let folder = target().join("package-test");
    fs::create_dir_all(&folder).unwrap();
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let (made, ready) = (folder.join("unpacked"), folder.join("ready"));
    if fs::metadata(&ready).and_then(|file| file.modified()).is_ok_and(|made| made > newest_input()) {
        return only_folder(&made);
    }
    let _ = fs::remove_dir_all(&made);
    fs::create_dir_all(&made).unwrap();
    let [archive, _symbols] = package::make(&root(), Build::Debug, &folder).unwrap();
    run(Command::new("tar").arg("--extract").arg("--file").arg(archive).arg("--directory").arg(&made));
    fs::write(ready, "").unwrap();
    only_folder(&made)
}

/// When the last of what a package is made of was changed; this program holds the code that makes it.
fn newest_input() -> SystemTime {
    let built = ["libpsa_host.a", "libpsa_connectwise.so", "psa"].map(|name| target().join(name));
    let include = root().join("include");
    let headers = below(&include).unwrap().into_iter().map(|name| include.join(name));
    let pages = guide::pages(&root()).unwrap().into_iter().chain(["CHANGELOG.md".to_owned()]);
    let headers = headers.chain(pages.map(|page| root().join(page)));
    let all = headers.chain(built).chain([std::env::current_exe().unwrap(), root().join("examples/c-host/main.c")]);
    all.map(|file| fs::metadata(file).and_then(|file| file.modified()).unwrap()).max().unwrap()
}

fn only_folder(parent: &Path) -> PathBuf {
    let mut there: Vec<PathBuf> = fs::read_dir(parent).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(there.len(), 1, "{there:?}");
    there.remove(0)
}

fn plugin(package: &Path) -> PathBuf {
    package.join("lib/psa_host/plugins/psa_connectwise.so")
}

/// What pkg-config says, as words.
fn pkg_config(pc: &Path, arguments: &[&str]) -> Vec<String> {
    let said = run(Command::new("pkg-config").env("PKG_CONFIG_PATH", pc).args(arguments));
    said.split_whitespace().map(String::from).collect()
}

fn compile(source: &Path, flags: &[String], more: &[&str], folder: &TempDir) -> PathBuf {
    let program = folder.path().join("program");
    run(Command::new("gcc").args(STRICT).args(more).arg("-o").arg(&program).arg(source).args(flags).arg("-lpthread"));
    program
}

fn example(package: &Path) -> PathBuf {
    package.join("share/doc/psa_host/examples/c-host")
}

/// Flags for the shared library, with the place where a program finds it.
fn shared(package: &Path) -> Vec<String> {
    let mut flags = pkg_config(&package.join("lib/pkgconfig"), &["--cflags", "--libs", "psa_host"]);
    flags.push(format!("-Wl,-rpath,{}", package.join("lib").display()));
    flags
}

/// Whether a program wants our shared library at run time.
fn wants_the_library(program: &Path) -> bool {
    run(Command::new("readelf").arg("--dynamic").arg(program)).contains(symbols::SONAME)
}

#[test]
fn it_exports_what_is_listed_and_holds_what_a_product_needs() {
    let package = unpacked();
    symbols::check(&root(), &package.join("lib/libpsa_host.so")).unwrap();
    for file in [
        "README.md",
        "bin/psa",
        "include/psa_common.h",
        "include/psa_host.h",
        "include/psa_plugin.h",
        "include/psa_host.schema.json",
        "lib/libpsa_host.a",
        "share/doc/psa_host/LICENSE-APACHE",
        "share/doc/psa_host/LICENSE-MIT",
    ] {
        assert!(package.join(file).is_file(), "{file}");
    }
    let licences = fs::read_to_string(package.join("share/doc/psa_host/THIRD-PARTY.txt")).unwrap();
    for words in ["\nring 0.", "\ntokio 1.", "Permission is hereby granted", "Apache License", "Mozilla Public License"]
    {
        assert!(licences.contains(words), "{words}");
    }
    for below_tests in ["\nvalgrind", "\njsonschema", "\ncbindgen"] {
        assert!(!licences.contains(below_tests), "{below_tests} is not inside");
    }
    let version = run(Command::new(package.join("bin/psa")).arg("--version"));
    assert_eq!(version.trim(), format!("psa {}", env!("CARGO_PKG_VERSION")));
}

#[test]
fn no_link_in_it_is_broken_and_the_guide_is_inside() {
    let package = unpacked();
    let pages: Vec<PathBuf> = below(&package).unwrap();
    let pages: Vec<&PathBuf> = pages.iter().filter(|page| page.extension().is_some_and(|end| end == "md")).collect();
    let mut inside = 0;
    for page in &pages {
        let text = fs::read_to_string(package.join(page)).unwrap();
        let page = page.display().to_string();
        assert_eq!(dead_links(&package, &page, &text), [""; 0]);
        for link in links::of(&text) {
            match link.target.strip_prefix(guide::REPOSITORY).and_then(|path| path.split('/').nth(2)) {
                // To the web view: of something that is there, and not here.
                Some("main") => {
                    let (path, _) = links::resolved(&page, link.target).unwrap();
                    assert!(root().join(&path).exists(), "{page}: {}", link.target);
                    assert!(!package.join("share/doc/psa_host").join(&path).is_file(), "{page}: {}", link.target);
                }
                _ => inside += usize::from(!link.target.contains("://")),
            }
        }
    }
    assert!(pages.len() > 12 && inside > 50, "{pages:?} {inside}");
    let readme = fs::read_to_string(package.join("README.md")).unwrap();
    assert!(readme.contains("(share/doc/psa_host/docs/embedding/README.md)"), "{readme}");
}

/// Copied to where nobody else may write: a checkout may lie in a folder from which no plugin is loaded.
#[test]
fn its_command_finds_its_plugins() {
    let package = unpacked();
    let folder = tempfile::tempdir().unwrap();
    for file in ["bin/psa", "lib/psa_host/plugins/psa_connectwise.so"] {
        xtask::files::copy(&package.join(file), &folder.path().join(file), 0o755).unwrap();
    }
    let listed = run(Command::new(folder.path().join("bin/psa")).args(["call", "plugins.list"]));
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let plugins = listed["items"].as_array().unwrap_or_else(|| panic!("{listed}"));
    assert!(plugins.iter().any(|plugin| plugin["id"] == "connectwise"), "{listed}");
}

#[test]
fn its_texts_name_no_folder_of_where_it_was_built() {
    let package = unpacked();
    let built = [root(), target()].map(|folder| folder.display().to_string());
    for file in below(&package).unwrap() {
        let Ok(text) = fs::read_to_string(package.join(&file)) else { continue };
        assert!(!built.iter().any(|folder| text.contains(folder)), "{}", file.display());
        assert!(!text.contains("@VERSION@"), "{}", file.display());
    }
}

#[test]
fn the_cdylib_that_cargo_makes_exports_the_same_names() {
    let nm = run(Command::new("nm").args(["--dynamic", "--defined-only"]).arg(target().join("libpsa_host.so")));
    let names: Vec<&str> = nm.lines().filter_map(|line| line.split_whitespace().next_back()).collect();
    assert_eq!(names.len(), symbols::listed(&root()).unwrap().len(), "{nm}");
    for name in symbols::listed(&root()).unwrap() {
        assert!(names.contains(&name.as_str()), "{name}");
    }
}

#[test]
fn a_program_is_built_by_pkg_config_against_the_shared_library() {
    let package = unpacked();
    let scene = Embedded::with_plugin(&plugin(&package));
    let program = compile(&example(&package).join("main.c"), &shared(&package), &[], &scene.folder);
    assert!(wants_the_library(&program));
    scene.c_example_did_its_job(&run(Command::new(program).args(scene.arguments())));
}

#[test]
fn a_program_is_built_by_pkg_config_with_the_static_library() {
    let package = unpacked();
    let scene = Embedded::with_plugin(&plugin(&package));
    let flags = pkg_config(&package.join("lib/pkgconfig"), &["--static", "--cflags", "--libs", "psa_host-static"]);
    let program = compile(&example(&package).join("main.c"), &flags, &["-Wl,--gc-sections"], &scene.folder);
    assert!(!wants_the_library(&program));
    scene.c_example_did_its_job(&run(Command::new(program).args(scene.arguments())));
}

/// As a distribution lays it out that has static libraries only: what is private in the .pc file is all that is wanted.
#[test]
fn where_there_is_only_the_static_library_pkg_config_says_what_it_wants() {
    let package = unpacked();
    let folder = tempfile::tempdir().unwrap();
    let pc = folder.path().join("lib/pkgconfig");
    fs::create_dir_all(&pc).unwrap();
    fs::copy(package.join("lib/pkgconfig/psa_host.pc"), pc.join("psa_host.pc")).unwrap();
    std::os::unix::fs::symlink(package.join("lib/libpsa_host.a"), folder.path().join("lib/libpsa_host.a")).unwrap();
    std::os::unix::fs::symlink(package.join("include"), folder.path().join("include")).unwrap();
    let flags = pkg_config(&pc, &["--static", "--cflags", "--libs", "psa_host"]);
    let program = compile(&example(&package).join("main.c"), &flags, &[], &folder);
    assert!(!wants_the_library(&program));
    assert!(run(Command::new("sh").arg("-c").arg(format!("{} 2>&1; true", program.display()))).starts_with("usage:"));
}

/// Configures and builds the example by CMake.
fn cmake(package: &Path, library: &str, folder: &TempDir) -> PathBuf {
    let build = folder.path().join("build");
    let mut configure = Command::new("cmake");
    configure.arg("-S").arg(example(package)).arg("-B").arg(&build);
    configure.arg(format!("-DCMAKE_PREFIX_PATH={}", package.display()));
    run(configure.arg(format!("-DPSA_HOST_TARGET={library}")));
    run(Command::new("cmake").arg("--build").arg(&build));
    build.join("c-host")
}

#[test]
fn a_program_is_built_by_cmake_with_either_library() {
    let package = unpacked();
    for (library, wants) in [("psa_host::psa_host", true), ("psa_host::static", false)] {
        let scene = Embedded::with_plugin(&plugin(&package));
        let program = cmake(&package, library, &scene.folder);
        assert_eq!(wants_the_library(&program), wants, "{library}");
        scene.c_example_did_its_job(&run(Command::new(program).args(scene.arguments())));
    }
}

#[test]
fn cmake_takes_no_version_that_does_not_fit() {
    let package = unpacked();
    let version = env!("CARGO_PKG_VERSION");
    let (major, rest) = version.split_once('.').unwrap();
    for (asked, fits) in [(version, true), (major, true), (&format!("{major}.{rest}.1"), false), ("9", false)] {
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "cmake_minimum_required(VERSION 3.16)\nproject(x LANGUAGES NONE)\nfind_package(psa_host {asked} REQUIRED)\n\
             if(NOT EXISTS \"${{psa_host_PLUGIN_DIR}}/psa_connectwise.so\")\n  message(FATAL_ERROR \"no plugin\")\nendif()\n"
        );
        fs::write(folder.path().join("CMakeLists.txt"), text).unwrap();
        let mut configure = Command::new("cmake");
        configure.arg("-S").arg(folder.path()).arg("-B").arg(folder.path().join("build"));
        let output = configure.arg(format!("-DCMAKE_PREFIX_PATH={}", package.display())).output().unwrap();
        assert_eq!(output.status.success(), fits, "{asked}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn the_example_is_clean_under_address_and_undefined_behaviour_sanitizers() {
    let package = unpacked();
    let scene = Embedded::with_plugin(&plugin(&package));
    let program = compile(&example(&package).join("main.c"), &shared(&package), &SANITIZERS, &scene.folder);
    let mut started = Command::new(program);
    let printed = run(started.args(scene.arguments()).env("ASAN_OPTIONS", "detect_leaks=1"));
    scene.c_example_did_its_job(&printed);
}

/// Compiles a program of ours against the package and runs it with two configurations; it checks what it sees.
fn with_two_configurations(source: &str, compiled_with: &[&str]) {
    let package = unpacked();
    let folder = tempfile::tempdir().unwrap();
    let program = compile(&root().join(source), &shared(&package), compiled_with, &folder);
    let config = |name: &str| json!({"data_dir": folder.path().join(name)}).to_string();
    let mut started = Command::new(program);
    let printed = run(started.args([config("one"), config("two")]).env("ASAN_OPTIONS", "detect_leaks=1"));
    assert_eq!(printed, "right\n");
}

#[test]
fn two_hosts_in_one_process_do_not_meet() {
    with_two_configurations("tests/c/two_hosts.c", &SANITIZERS);
}

/// Those that take no host work anywhere; all others are asked in the child.
#[test]
fn after_fork_every_function_says_so_and_a_new_host_works() {
    let asked = fs::read_to_string(root().join("tests/c/forked.c")).unwrap();
    for name in symbols::listed(&root()).unwrap().iter().filter(|name| name.starts_with("psa_host_")) {
        let takes_a_host = !["psa_host_abi", "psa_host_version"].contains(&name.as_str());
        assert!(!takes_a_host || asked.contains(&format!("{name}(")), "tests/c/forked.c does not ask {name}");
    }
    with_two_configurations("tests/c/forked.c", &[]);
}
