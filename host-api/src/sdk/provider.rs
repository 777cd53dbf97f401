//! What a plugin implements.
//!
//! Holds: [`Provider`], one function per row of the table of operations, and [`Handler`], which finds the function of
//! a row.
//! Promises: an operation that a plugin does not implement is `unsupported`, and not in its table.
//! Leaves to others: the rows (`ops`), the C side (`export`).

use super::{Cx, Settings};
use crate::model::*;
use crate::ops::*;
use crate::{Code, Error};
use std::future::Future;

macro_rules! provider {
    ($($(#[doc = $about:literal])+ $name:ident $marker:ident ($request:ty) -> $answer:ty, $flags:expr;)*) => {
        /// A provider: one value per connection, made from its settings.
        ///
        /// Functions of one instance run in parallel up to the manifest's `concurrency`, each as one strand. What they
        /// return as `Err` reaches the product; a refusal of the PSA that concerns one ticket only says so with
        /// [`SpeaksOf::Operation`](crate::error::SpeaksOf).
        pub trait Provider: Sized + Send + Sync + 'static {
            /// The manifest's JSON ([`crate::manifest::Manifest`]), fixed when the plugin is compiled.
            const MANIFEST: &'static str;

            /// Makes an instance from a connection's settings: quick, no HTTP. Secrets are not among the settings.
            fn open(settings: &Settings, cx: &Cx) -> Result<Self, Error>;

            $(
                $(#[doc = $about])+
                fn $name(&self, cx: &Cx, request: $request) -> impl Future<Output = Result<$answer, Error>> + Send {
                    let _ = (cx, request);
                    async { Err(unsupported(stringify!($name))) }
                }
            )*
        }

        $(
            impl<P: Provider> Handler<P> for $marker {
                fn run<'a>(
                    provider: &'a P,
                    cx: &'a Cx,
                    request: $request,
                ) -> impl Future<Output = Result<$answer, Error>> + Send + 'a {
                    provider.$name(cx, request)
                }
            }
        )*

        /// The markers under the names of their operations, for `export_plugin!`.
        #[doc(hidden)]
        pub mod by_name {
            $(
                #[allow(non_camel_case_types)]
                pub type $name = crate::ops::$marker;
            )*
        }
    };
}
operation_table!(provider);

/// Finds the function of `P` that implements an operation.
pub trait Handler<P: Provider>: Operation {
    /// Runs it.
    fn run<'a>(
        provider: &'a P,
        cx: &'a Cx,
        request: Self::Request,
    ) -> impl Future<Output = Result<Self::Answer, Error>> + Send + 'a;
}

fn unsupported(operation: &str) -> Error {
    Error::new(Code::Unsupported, format!("this plugin does not offer {operation}"))
}
