//! The generated headers, seen by C and C++ compilers.
//!
//! Holds: each header alone under each standard, and the golden offsets measured by a C compiler.
//! Promises: all warnings are errors; a compiler that is not there is named, not passed over.
//! Leaves to others: the offsets by the rules of C and as Rust sees them (`layout`).

use std::path::{Path, PathBuf};
use std::process::Command;
use xtask::{declared, generate, golden, root, tools};

const WARNINGS: [&str; 10] = [
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-Wpadded",
    "-Wconversion",
    "-Wshadow",
    "-Wundef",
    "-Wcast-qual",
    "-Wwrite-strings",
    "-Werror",
];

/// The languages promised, each with the compilers that know it.
const STANDARDS: [(&str, &str, [&str; 2]); 6] = [
    ("c99", "c", ["gcc", "clang"]),
    ("c11", "c", ["gcc", "clang"]),
    ("c17", "c", ["gcc", "clang"]),
    ("c++11", "c++", ["g++", "clang++"]),
    ("c++17", "c++", ["g++", "clang++"]),
    ("c++20", "c++", ["g++", "clang++"]),
];

/// Compiles `source`, and links it if `program` says where to.
fn compile(compiler: &str, standard: &str, source: &Path, program: Option<&Path>) -> Result<(), String> {
    let mut command = Command::new(compiler);
    command.arg(format!("-std={standard}")).args(WARNINGS).arg("-I").arg(root().join("include"));
    match program {
        Some(program) => command.arg("-o").arg(program),
        None => command.arg("-fsyntax-only"),
    };
    let output = command.arg(source).output().map_err(|error| format!("{compiler}: {error}"))?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("the test's own folder is writable");
    path
}

fn extension(language: &str) -> &str {
    if language == "c" { "c" } else { "cpp" }
}

#[test]
fn each_header_compiles_alone_in_every_standard_without_a_warning() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let mut compiled = 0;
    for header in generate::HEADERS {
        for (standard, language, compilers) in STANDARDS {
            let name = format!("alone.{}", extension(language));
            let source = write(folder.path(), &name, &format!("#include \"{0}\"\n#include \"{0}\"\n", header.name));
            for compiler in compilers {
                if tools::find(compiler).is_none() {
                    println!("skipped: {} as {standard}: there is no {compiler}", header.name);
                    continue;
                }
                let outcome = compile(compiler, standard, &source, None);
                assert_eq!(outcome, Ok(()), "{} as {standard} by {compiler}", header.name);
                compiled += 1;
            }
        }
    }
    assert!(compiled >= generate::HEADERS.len() * STANDARDS.len(), "gcc and g++ are needed; {compiled} compiled");
}

#[test]
fn padding_and_a_stale_size_stop_the_build() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let include = "#include \"psa_common.h\"\n";
    let padded = format!("{include}struct padded {{ char a; int b; }};\n");
    let stale = format!("{include}PSA_SIZE_IS(psa_bytes, 3);\n");
    for text in [padded, stale] {
        let source = write(folder.path(), "bad.c", &text);
        assert!(compile("gcc", "c11", &source, None).is_err(), "{text}");
    }
}

#[test]
fn every_struct_has_its_size_asserted() {
    for header in generate::HEADERS {
        let text = xtask::read(&root().join("include").join(header.name)).expect("the header is there");
        for (name, fields) in declared::structs(&text) {
            let asserted = text.contains(&format!("PSA_SIZE_IS({name}, "));
            assert!(asserted, "{}: {name} with {} fields", header.name, fields.len());
        }
    }
}

#[test]
fn a_plugin_is_written_with_the_macros_in_c_and_in_cpp() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let text = r#"
#include "psa_plugin.h"
static const psa_operation OPERATIONS[] = { { "get_ticket", NULL, PSA_OP_WRITE | PSA_OP_INPUT, 0 } };
static const psa_plugin PLUGIN = {
    sizeof(psa_plugin), PSA_ABI_MAJOR, PSA_ABI_MINOR, PSA_LITERAL("{}"), OPERATIONS, 1, sizeof(psa_operation), NULL, NULL, NULL
};
const psa_plugin *psa_plugin_entry(uint32_t host_abi) { return host_abi >= PSA_ABI ? &PLUGIN : NULL; }
int main(void) {
    psa_services old;
    psa_plugin_entry_fn entry = psa_plugin_entry;
    old.size = (uint32_t)offsetof(psa_services, http_wait);
    if (!PSA_HAS(psa_services, &old, http) || PSA_HAS(psa_services, &old, http_wait)) return 1;
    return entry(PSA_ABI)->manifest.len == 2 ? 0 : 2;
}
"#;
    for (standard, language, [compiler, _]) in STANDARDS {
        let source = write(folder.path(), &format!("plugin.{}", extension(language)), text);
        let program = folder.path().join("plugin");
        assert_eq!(compile(compiler, standard, &source, Some(&program)), Ok(()), "{standard}");
        let status = Command::new(&program).status().expect("what was compiled starts");
        assert!(status.success(), "{standard}: {status}");
    }
}

/// The lines about structs and members of all golden files: name, and then offset and size.
fn promised() -> Vec<String> {
    let is_layout = |line: &&str| line.split(' ').nth(1).is_some_and(|word| word.parse::<usize>().is_ok());
    let numbers =
        |line: &str| line.split(' ').take(if line.contains('.') { 3 } else { 2 }).collect::<Vec<_>>().join(" ");
    let text =
        golden::ALL.iter().map(|golden| xtask::read(&root().join(golden.path)).expect("the golden file is there"));
    let text: String = text.collect();
    text.lines().filter(|line| !line.starts_with('#')).filter(is_layout).map(numbers).collect()
}

/// The same as a C compiler measures them.
fn measured_by_c(promised: &[String]) -> String {
    let mut body = String::new();
    for name in promised.iter().filter_map(|line| line.split(' ').next()) {
        let print = match name.split_once('.') {
            Some((of, field)) => format!("%zu %zu\\n\", offsetof({of}, {field}), sizeof((({of} *)0)->{field})"),
            None => format!("%zu\\n\", sizeof({name})"),
        };
        body.push_str(&format!("    printf(\"{name} {print});\n"));
    }
    let include = "#include <stdio.h>\n#include \"psa_plugin.h\"\n#include \"psa_host.h\"\n";
    let text = format!("{include}int main(void) {{\n{body}    return 0;\n}}\n");
    let folder = tempfile::tempdir().expect("a folder for the test");
    let source = write(folder.path(), "offsets.c", &text);
    let program = folder.path().join("offsets");
    assert_eq!(compile("gcc", "c11", &source, Some(&program)), Ok(()));
    let output = Command::new(program).output().expect("what was compiled starts");
    String::from_utf8(output.stdout).expect("it prints ASCII")
}

#[test]
fn a_c_compiler_agrees_with_every_offset_of_the_golden_files() {
    let promised = promised();
    assert!(promised.len() > 75, "{} lines", promised.len());
    assert_eq!(measured_by_c(&promised).lines().collect::<Vec<_>>(), promised);
}

#[test]
fn the_example_is_plain_c_of_every_standard() {
    let source = root().join("examples/c-host/main.c");
    for (standard, _, compilers) in STANDARDS.iter().filter(|(_, language, _)| *language == "c") {
        for compiler in compilers.iter().filter(|compiler| tools::find(compiler).is_some()) {
            assert_eq!(compile(compiler, standard, &source, None), Ok(()), "{standard} by {compiler}");
        }
    }
}

#[test]
fn generated_files_are_what_the_code_says() {
    assert_eq!(generate::check(&root()), Ok(()));
}
