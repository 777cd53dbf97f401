//! A product's reader and writer, as the host takes them.
//!
//! Holds: the way from `psa_reader` and `psa_writer` to Rust's `Read` and `Write`.
//! Promises: called on one thread at a time, never after the call is done; a number that cannot be is an error.
//! Leaves to others: when they are called (`psa-host`, its streams).

use crate::guard::as_callback;
use crate::types::{psa_reader, psa_writer};
use host::{Input, Output};
use psa_host_api::Error;
use psa_host_api::abi::*;
use std::io::{Read, Write};

struct Reader(psa_reader);

// SAFETY: the contract lets the host call a reader on a thread of its own, one call at a time; ctx is only handed back.
unsafe impl Send for Reader {}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let Some(read) = self.0.read else { return Ok(0) };
        // SAFETY: the product gave function and ctx together, to be called until the call is done, which waits for this
        // thread; the buffer is as long as is said.
        let count = as_callback(|| unsafe { read(self.0.ctx, buffer.as_mut_ptr(), buffer.len()) });
        // More than there is room for is refused by who asked.
        usize::try_from(count).map_err(|_| std::io::Error::other(format!("it answered {count}")))
    }
}

struct Writer(psa_writer);

// SAFETY: as for Reader.
unsafe impl Send for Writer {}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let Some(write) = self.0.write else { return Ok(0) };
        // SAFETY: as for Reader; the bytes live until it returns.
        match as_callback(|| unsafe { write(self.0.ctx, psa_bytes::of(bytes)) }) {
            PSA_OK => Ok(bytes.len()),
            code => Err(std::io::Error::other(format!("it answered {code}"))),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// # Safety
/// `reader` is NULL or valid; what it names may be used until the call is done.
pub(crate) unsafe fn input(reader: *const psa_reader) -> Result<Option<Input>, Error> {
    // SAFETY: the caller's promise.
    let Some(reader) = (unsafe { reader.as_ref() }) else { return Ok(None) };
    if reader.read.is_none() {
        return Err(Error::invalid("options.input->read is NULL").because("null"));
    }
    let len = (reader.len != u64::MAX).then_some(reader.len);
    Ok(Some(Input::new(Reader(*reader), len)))
}

/// # Safety
/// `writer` is NULL or valid; what it names may be used until the call is done.
pub(crate) unsafe fn output(writer: *const psa_writer) -> Result<Option<Output>, Error> {
    // SAFETY: the caller's promise.
    let Some(writer) = (unsafe { writer.as_ref() }) else { return Ok(None) };
    if writer.write.is_none() {
        return Err(Error::invalid("options.output->write is NULL").because("null"));
    }
    Ok(Some(Output::new(Writer(*writer))))
}
