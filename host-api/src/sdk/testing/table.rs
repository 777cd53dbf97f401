//! One operation through the C table, from open to close, as the host would run it.

use super::TestHost;
use crate::abi::*;
use crate::json::look_through;
use crate::{Code, Error};
use serde_json::Value;
use std::ffi::CStr;

const OPEN: psa_call = 1;
const RUN: psa_call = 2;

impl TestHost {
    /// Opens an instance with `settings`, runs one operation to its end and closes it. Several completions, or none,
    /// are errors here: the real host forgives them, a test should not.
    ///
    /// # Safety
    /// `entry` is the `psa_plugin_entry` of a plugin that keeps the contract of `psa_plugin.h`.
    pub unsafe fn call_table(
        &self,
        entry: unsafe extern "C" fn(u32) -> *const psa_plugin,
        settings: &Value,
        operation: &str,
        request: &Value,
    ) -> Result<Value, Error> {
        // SAFETY: an entry function returns NULL or a table that is constant for the life of the process.
        let plugin = unsafe { entry(PSA_ABI).as_ref() };
        let plugin = plugin.ok_or_else(|| Error::new(Code::Unsupported, "the plugin gave no table"))?;
        // SAFETY: the table's own count; rows of this very version, because plugin and test are built together.
        let rows = unsafe { std::slice::from_raw_parts(plugin.operations, plugin.operation_count as usize) };
        // SAFETY: names are NUL-terminated and static.
        let named = |row: &&psa_operation| unsafe { CStr::from_ptr(row.name) }.to_bytes() == operation.as_bytes();
        let row = rows.iter().find(named);
        let row = row.ok_or_else(|| Error::new(Code::Unsupported, format!("{operation} is not in the table")))?;
        let (Some(open), Some(close), Some(start)) = (plugin.open, plugin.close, row.start) else {
            return Err(Error::internal("the table has a NULL where a function belongs"));
        };
        let (settings, request) = (settings.to_string(), request.to_string());
        // SAFETY: the services live as long as this host; the settings until open returns.
        let instance = unsafe { open(&raw const *self.services, OPEN, psa_bytes::of(settings.as_bytes())) };
        if instance.is_null() {
            return self.completed(OPEN);
        }
        // SAFETY: an instance that open returned and that is not closed yet; the request lives until start returns.
        unsafe { start(instance, RUN, psa_bytes::of(request.as_bytes())) };
        while self.go_on() {}
        // SAFETY: nothing of the instance is left: each callback has run.
        unsafe { close(instance) };
        self.completed(RUN)
    }

    fn completed(&self, call: psa_call) -> Result<Value, Error> {
        let mut state = self.state.borrow_mut();
        let all: Vec<_> = state.completed.extract_if(.., |(of, _, _)| *of == call).collect();
        match all.as_slice() {
            [(_, PSA_OK, body)] => {
                let refused =
                    |error: &dyn std::error::Error| Error::internal(format!("the host refuses the result: {error}"));
                let text = std::str::from_utf8(body).map_err(|error| refused(&error))?;
                look_through(text).map_err(|error| refused(&error))?;
                serde_json::from_str(text).map_err(|error| refused(&error))
            }
            [(_, code, body)] => Err(Error::from_body(Code::from_number(*code), body)),
            others => Err(Error::internal(format!("completed {} times", others.len()))),
        }
    }
}
