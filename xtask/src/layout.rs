//! Where each member of a struct lies.
//!
//! Holds: the layout by the rules of C, from a declaration; and the layout that the Rust compiler gives the plugins' types.
//! Promises: a member of a type that is not known, or padding, is refused; pointers have 64 bits.
//! Leaves to others: the same by a C compiler (this crate's tests), the host's types in Rust (tests of `psa-ffi`).

use crate::declared::name_of;
use psa_host_api::abi::*;

/// A struct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Struct {
    /// Its name in C.
    pub name: String,
    /// In bytes.
    pub size: usize,
    /// In order.
    pub fields: Vec<Field>,
}

/// A member of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// From the start of the struct, in bytes.
    pub offset: usize,
    /// In bytes.
    pub size: usize,
}

/// No type of ours wants more.
const ALIGNMENT_MAX: usize = 8;

const NUMBERS: [(&str, usize); 10] = [
    ("uint8_t", 1),
    ("uint16_t", 2),
    ("uint32_t", 4),
    ("int32_t", 4),
    ("uint64_t", 8),
    ("int64_t", 8),
    ("size_t", 8),
    ("ptrdiff_t", 8),
    ("psa_code", 4),
    ("psa_call", 8),
];

/// Lays out a struct from its members' declarations; `known` are those it may contain.
pub fn of(name: &str, members: &[String], known: &[Struct]) -> Result<Struct, String> {
    let mut fields = Vec::new();
    let (mut end, mut alignment) = (0, 1);
    for member in members {
        let size = size_of_member(member, known).ok_or_else(|| format!("{name}: `{member}` is of an unknown type"))?;
        let wants = size.min(ALIGNMENT_MAX);
        if end % wants != 0 {
            return Err(format!("{name}: hidden padding before `{member}`; add a reserved field"));
        }
        let named = name_of(member).ok_or_else(|| format!("{name}: `{member}` has no name"))?;
        fields.push(Field { name: named, offset: end, size });
        end += size;
        alignment = alignment.max(wants);
    }
    if end % alignment != 0 {
        return Err(format!("{name}: hidden padding at its end; add a reserved field"));
    }
    Ok(Struct { name: name.to_string(), size: end, fields })
}

fn size_of_member(member: &str, known: &[Struct]) -> Option<usize> {
    if member.contains('*') {
        return Some(8);
    }
    let of = member.rsplit_once(' ')?.0;
    let number = NUMBERS.iter().find(|(name, _)| *name == of).map(|(_, size)| *size);
    number.or_else(|| known.iter().find(|one| one.name == of).map(|one| one.size))
}

fn size_of_field<T, F>(_: fn(&T) -> &F) -> usize {
    size_of::<F>()
}

/// Measures structs. The pattern names every field, so a field left out here does not compile.
macro_rules! measure {
    ($($name:ident { $($field:ident),* $(,)? })*) => {
        vec![$({
            let _complete = |value: $name| { let $name { $($field: _),* } = value; };
            Struct {
                name: stringify!($name).into(),
                size: size_of::<$name>(),
                fields: vec![$(Field {
                    name: stringify!($field).into(),
                    offset: std::mem::offset_of!($name, $field),
                    size: size_of_field(|value: &$name| &value.$field),
                }),*],
            }
        }),*]
    };
}

/// All structs of the plugin ABI, as the Rust compiler lays them out.
pub fn measured() -> Vec<Struct> {
    measure! {
        psa_bytes { ptr, len }
        psa_header { name, value, secret, flags, reserved }
        psa_chunk { bytes, source, encoding }
        psa_http_request {
            size, kind, flags, timeout_ms, method, url, headers, header_count, body, body_count,
        }
        psa_http_response { size, status, headers, header_count, body }
        psa_then { data, run }
        psa_call_info { size, state, remaining_ms, input_len }
        psa_services {
            size, abi_major, abi_minor, ctx, complete, call_info, log_message, post, sleep_ms, http, http_wait,
            read_input, write_output, get, put, remove, keys, now_unix_ms, random_bytes, extension,
        }
        psa_operation { name, start, flags, reserved }
        psa_plugin {
            size, abi_major, abi_minor, manifest, operations, operation_count, operation_size, open, close, extension,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(of: &[&str]) -> Vec<String> {
        of.iter().map(|member| member.to_string()).collect()
    }

    #[test]
    fn members_lie_where_c_puts_them() {
        let bytes = of("psa_bytes", &members(&["const uint8_t *ptr", "size_t len"]), &[]).expect("it can be laid out");
        let with = members(&["uint32_t size", "psa_code code", "psa_bytes text", "int (*f)(int a, int b)"]);
        let laid = of("x", &with, &[bytes]).expect("it can be laid out");
        let places: Vec<_> = laid.fields.iter().map(|field| (field.name.as_str(), field.offset, field.size)).collect();
        assert_eq!(places, [("size", 0, 4), ("code", 4, 4), ("text", 8, 16), ("f", 24, 8)]);
        assert_eq!(laid.size, 32);
    }

    #[test]
    fn what_cannot_be_laid_out_is_refused() {
        for (declared, words) in [
            (["uint32_t size", "void *ctx"], "hidden padding before `void *ctx`"),
            (["void *ctx", "uint32_t flags"], "hidden padding at its end"),
            (["void *ctx", "long flags"], "`long flags` is of an unknown type"),
        ] {
            let refused = of("x", &members(&declared), &[]).expect_err(words);
            assert!(refused.contains(words), "{refused}");
        }
    }
}
