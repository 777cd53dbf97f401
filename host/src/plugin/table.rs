//! Reading what a plugin's entry returned.
//!
//! Holds: [`Plugin`], a checked table, and [`Operation`], one row of it.
//! Promises: a [`Plugin`] has all functions, a valid manifest and form, and operations with distinct names.
//! Leaves to others: the file it came from (`loader`), calling its functions (`instance`).

use super::refusal::Why;
use psa_host_api::abi::*;
use psa_host_api::form::Form;
use psa_host_api::manifest::Manifest;
use psa_host_api::ops;
use std::collections::BTreeMap;
use std::ffi::{c_char, c_void};
use std::path::PathBuf;
use std::sync::Arc;

/// Sizes of minor 0; every later table has at least these.
const TABLE_BYTES_MIN: usize = size_of::<psa_plugin>();
const OPERATION_BYTES_MIN: usize = size_of::<psa_operation>();
const TABLE_BYTES_MAX: usize = 64 << 10;
const OPERATIONS_MAX: u32 = 256;
const NAME_BYTES_MAX: usize = 64;

pub(super) type OpenFn = unsafe extern "C" fn(*const psa_services, psa_call, psa_bytes) -> *mut c_void;
pub(super) type CloseFn = unsafe extern "C" fn(*mut c_void);
pub(super) type StartFn = unsafe extern "C" fn(*mut c_void, psa_call, psa_bytes);

/// A loaded plugin. Stays for the life of the process.
#[derive(Debug)]
pub struct Plugin {
    /// What it says about itself.
    pub manifest: Manifest,
    /// The form of a connection's settings.
    pub form: Form,
    /// The file it was loaded from; `None`: linked into the product.
    pub path: Option<PathBuf>,
    /// SHA-256 of the file.
    pub sha256: Option<String>,
    pub(super) operations: BTreeMap<Arc<str>, Operation>,
    pub(super) open: OpenFn,
    pub(super) close: CloseFn,
}

/// One operation it offers.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    pub(super) name: Arc<str>,
    pub(super) flags: u32,
    pub(super) start: StartFn,
}

/// Ours, beside the flags of the contract: this call opens the instance.
pub(super) const OPENING: u32 = 1 << 31;
const FLAGS: u32 = PSA_OP_WRITE | PSA_OP_MANY_WRITES | PSA_OP_BLOCKING | PSA_OP_INPUT | PSA_OP_OUTPUT;

impl Operation {
    /// The call that opens an instance.
    pub(super) fn opening() -> Operation {
        unsafe extern "C" fn nothing(_: *mut c_void, _: psa_call, _: psa_bytes) {}
        Operation { name: "open".into(), flags: OPENING, start: nothing }
    }

    pub(super) fn has(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }
}

impl Plugin {
    /// Names of the operations, sorted.
    pub fn operations(&self) -> impl Iterator<Item = &str> {
        self.operations.keys().map(|name| &**name)
    }

    /// Reads the table behind `table`.
    ///
    /// # Safety
    /// `table` is NULL or what a plugin's entry returned, and the plugin keeps its word that a table is constant and
    /// as long as its own `size` says, at least 8 bytes.
    pub(super) unsafe fn read(table: *const psa_plugin, path: Option<PathBuf>) -> Result<Plugin, Why> {
        if table.is_null() {
            return Err(Why::TooNew { ours: version(PSA_ABI_MAJOR, PSA_ABI_MINOR) });
        }
        // SAFETY: the caller's promise covers the first 8 bytes: size, major, minor. Read one by one, because the rest
        // of the struct need not be there yet.
        let (size, major, minor) = unsafe {
            (
                (&raw const (*table).size).read(),
                (&raw const (*table).abi_major).read(),
                (&raw const (*table).abi_minor).read(),
            )
        };
        check_version(size, major, minor)?;
        // SAFETY: the table is at least as long as our struct, see check_version, and constant by the contract.
        let table = unsafe { &*table };
        let open = table.open.ok_or(Why::Null("open"))?;
        let close = table.close.ok_or(Why::Null("close"))?;
        // SAFETY: a table's manifest is constant and as long as it says.
        let (manifest, form) = read_manifest(unsafe { table.manifest.as_slice() })?;
        // SAFETY: a table's operations are constant and as many as it says.
        let operations = unsafe { read_operations(table) }?;
        Ok(Plugin { manifest, form, path, sha256: None, operations, open, close })
    }
}

pub(super) fn version(major: u16, minor: u16) -> String {
    format!("{major}.{minor}")
}

fn check_version(size: u32, major: u16, minor: u16) -> Result<(), Why> {
    if major != PSA_ABI_MAJOR {
        return Err(Why::AbiMajor {
            theirs: version(major, minor),
            ours: version(PSA_ABI_MAJOR, PSA_ABI_MINOR),
            newer: major > PSA_ABI_MAJOR,
        });
    }
    let step = align_of::<psa_plugin>();
    let bytes = size as usize;
    if !(TABLE_BYTES_MIN..=TABLE_BYTES_MAX).contains(&bytes) || !bytes.is_multiple_of(step) {
        return Err(Why::TableSize { found: size, abi: version(major, minor), least: TABLE_BYTES_MIN, step });
    }
    Ok(())
}

fn read_manifest(bytes: &[u8]) -> Result<(Manifest, Form), Why> {
    let object = crate::json::object(bytes, psa_host_api::manifest::MANIFEST_BYTES_MAX)
        .map_err(|error| Why::Manifest(format!("its manifest is not valid: {error}")))?;
    if object.is_empty() {
        return Err(Why::Manifest("its manifest is empty".to_owned()));
    }
    let manifest = Manifest::load(bytes).map_err(|error| Why::Manifest(error.to_string()))?;
    let form = Form::from_value(manifest.form.clone()).map_err(|errors| Why::Form(errors.to_string()))?;
    Ok((manifest, form))
}

/// # Safety
/// The table's operations are constant and as many as it says.
unsafe fn read_operations(table: &psa_plugin) -> Result<BTreeMap<Arc<str>, Operation>, Why> {
    let step = table.operation_size as usize;
    if table.operations.is_null() {
        return Err(Why::Null("operations"));
    }
    if table.operation_count == 0 || table.operation_count > OPERATIONS_MAX {
        return Err(Why::Operations(format!(
            "{} operations; 1 to {OPERATIONS_MAX} are allowed",
            table.operation_count
        )));
    }
    if !(OPERATION_BYTES_MIN..=4096).contains(&step) || !step.is_multiple_of(align_of::<psa_operation>()) {
        return Err(Why::Operations(format!("operation_size is {step}, at least {OPERATION_BYTES_MIN} was expected")));
    }
    let mut operations = BTreeMap::new();
    for position in 0..table.operation_count as usize {
        // SAFETY: operation `position` lies this many bytes behind the first; it is at least as long as our struct,
        // see above, and there by the caller's promise.
        let row = unsafe { &*table.operations.byte_add(position * step) };
        let operation = read_operation(row, position)?;
        if let Some(twice) = operations.insert(operation.name.clone(), operation) {
            return Err(Why::Operations(format!("\"{}\" is there twice", twice.name)));
        }
    }
    Ok(operations)
}

fn read_operation(row: &psa_operation, position: usize) -> Result<Operation, Why> {
    // SAFETY: a row's name is NUL-terminated by the contract; no more than the longest name is looked at.
    let name = unsafe { read_name(row.name) }.ok_or_else(|| {
        let rule = format!("its name must be 1 to {NAME_BYTES_MAX} characters of a-z 0-9 _ . / -");
        Why::Operations(format!("operation {position}: {rule}"))
    })?;
    let Some(start) = row.start else { return Err(Why::Operations(format!("\"{name}\" has no start function"))) };
    if let Some(published) = ops::find(&name) {
        let writes = row.flags & (PSA_OP_WRITE | PSA_OP_MANY_WRITES) != 0;
        let should = published.flags & PSA_OP_WRITE != 0;
        if writes != should {
            let (does, is) = if writes { ("may write", "a reading") } else { ("does not write", "a writing") };
            return Err(Why::Operations(format!("\"{name}\" says that it {does}, but it is {is} operation")));
        }
    }
    Ok(Operation { name: name.into(), flags: row.flags & FLAGS, start })
}

/// # Safety
/// `text` is NULL or NUL-terminated.
unsafe fn read_name(text: *const c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    let mut name = String::new();
    for position in 0..=NAME_BYTES_MAX {
        // SAFETY: no byte before this one was the NUL, so this one is still part of the string.
        let byte = unsafe { text.add(position).read() } as u8;
        match byte {
            0 if position > 0 => return Some(name),
            b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'/' | b'-' => name.push(byte as char),
            _ => return None,
        }
    }
    None
}
