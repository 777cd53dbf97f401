//! The generated headers, seen by C and C++ compilers.
//!
//! Holds: each header alone under each standard, and the golden offsets measured by a C compiler.
//! Promises: all warnings are errors; a compiler that is not there is named, not passed over.
//! Leaves to others: the offsets as Rust sees them (`golden`, which writes the file these tests read).

use std::path::{Path, PathBuf};
use std::process::Command;
use xtask::{generate, golden, root, tools};

const WARNINGS: [&str; 5] = ["-Wall", "-Wextra", "-Wpedantic", "-Wpadded", "-Werror"];

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
        for (name, fields) in golden::declarations(&text) {
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

/// The golden lines as a C compiler measures them: name, offset and size.
fn measured_by_c() -> String {
    let mut body = String::new();
    for one in golden::structs() {
        body.push_str(&format!("    printf(\"{0} %zu\\n\", sizeof({0}));\n", one.name));
        for field in one.fields {
            let (of, name) = (one.name, field.name);
            body.push_str(&format!(
                "    printf(\"{of}.{name} %zu %zu\\n\", offsetof({of}, {name}), sizeof((({of} *)0)->{name}));\n"
            ));
        }
    }
    let text = format!("#include <stdio.h>\n#include \"psa_plugin.h\"\nint main(void) {{\n{body}    return 0;\n}}\n");
    let folder = tempfile::tempdir().expect("a folder for the test");
    let source = write(folder.path(), "offsets.c", &text);
    let program = folder.path().join("offsets");
    assert_eq!(compile("gcc", "c11", &source, Some(&program)), Ok(()));
    let output = Command::new(program).output().expect("what was compiled starts");
    String::from_utf8(output.stdout).expect("it prints ASCII")
}

#[test]
fn c_and_rust_agree_on_every_offset_of_the_golden_file() {
    let golden = xtask::read(&root().join(golden::PATH)).expect("the golden file is there");
    let facts = golden.lines().filter(|line| !line.starts_with('#'));
    let numbers = |line: &str| line.split(' ').take(3).collect::<Vec<_>>().join(" ");
    let golden: Vec<String> = facts.map(numbers).collect();
    let c = measured_by_c();
    assert!(golden.len() > 50, "{} lines", golden.len());
    assert_eq!(c.lines().collect::<Vec<_>>(), golden);
}

#[test]
fn generated_files_are_what_the_code_says() {
    assert_eq!(generate::check(&root()), Ok(()));
}
