//! The golden file of psa_host.h, compared with what the Rust compiler does.
//!
//! Holds: a measurement of every struct that a product hands over.
//! Promises: a struct or a member that is only here, or only in the golden file, fails the test.
//! Leaves to others: the same by a C compiler, and that the golden file only grows (`xtask`).

use crate::sized::Growing;
use crate::types::*;
use psa_host_api::abi::psa_http_request;

const GOLDEN: &str = include_str!("../../abi/psa_host-1.0.golden");
/// The same of psa_plugin.h, which shares the request.
const PLUGINS: &str = include_str!("../../abi/psa_plugin-1.0.golden");

fn size_of_field<T, F>(_: fn(&T) -> &F) -> usize {
    size_of::<F>()
}

/// Lines as in the golden file. The pattern names every member, so one that is left out does not compile.
macro_rules! lines {
    ($($name:ident { $($field:ident),* $(,)? })*) => {{
        let mut lines = Vec::new();
        $(
            let _complete = |value: $name| { let $name { $($field: _),* } = value; };
            lines.push(format!("{} {}", stringify!($name), size_of::<$name>()));
            $(
                let (offset, size) = (std::mem::offset_of!($name, $field), size_of_field(|value: &$name| &value.$field));
                lines.push(format!("{}.{} {offset} {size}", stringify!($name), stringify!($field)));
            )*
        )*
        lines
    }};
}

/// The golden lines about structs and members, without the declarations.
fn promised() -> Vec<String> {
    let layout = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let count = if words.first()?.contains('.') { 3 } else { 2 };
        words.get(1)?.parse::<usize>().is_ok().then(|| words[..count].join(" "))
    };
    GOLDEN.lines().filter(|line| !line.starts_with('#')).filter_map(layout).collect()
}

#[test]
fn rust_lays_out_what_products_hand_over_as_the_golden_file_says() {
    let measured = lines! {
        psa_hooks { size, reserved, ctx, log_message, vault_keys }
        psa_reader { ctx, read, len }
        psa_writer { ctx, write }
        psa_call_options { size, timeout_ms, trace_id, input, output, keep_going, ctx }
        psa_done { ctx, run }
    };
    assert_eq!(measured, promised());
}

#[test]
fn the_least_size_of_what_may_grow_is_that_of_the_first_version() {
    let promised = promised();
    let of = |least: usize, name: &str| assert!(promised.contains(&format!("{name} {least}")), "{name} {least}");
    of(<psa_call_options as Growing>::FIRST_BYTES, "psa_call_options");
    // One member came after the first products were built.
    let hooks = <psa_hooks as Growing>::FIRST_BYTES;
    assert!(promised.contains(&format!("psa_hooks.vault_keys {hooks} 8")), "{hooks}");
    let request = <psa_http_request as Growing>::FIRST_BYTES;
    assert!(PLUGINS.lines().any(|line| line == format!("psa_http_request {request}")), "{request}");
}
