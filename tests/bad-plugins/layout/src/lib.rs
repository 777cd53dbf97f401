//! A plugin that was built with a changed SDK: it says the same minor and shows another layout.

use abi_stable::StableAbi;
use abi_stable::type_layout::TypeLayout;
use psa_host_api::Error;
use psa_host_api::abi::{psa_bytes, psa_operation, psa_plugin};
use psa_host_api::sdk::export::{by_name, operation, plugin};
use psa_host_api::sdk::{Cx, Provider, Settings};

struct Changed;

impl Provider for Changed {
    const MANIFEST: &'static str = concat!(
        r#"{"id":"layout","name":"Layout","version":"1.0.0","sdk":"psa-host-api "#,
        env!("CARGO_PKG_VERSION"),
        r#"","form":{"form_schema":"1.0","plugin":"layout","settings_version":1,"reads_from":1,"default_locale":"en",
        "groups":[{"key":"main","title":{"en":"Main"}}],"fields":[]}}"#
    );

    fn open(_: &Settings, _: &Cx) -> Result<Changed, Error> {
        Ok(Changed)
    }
}

static OPERATIONS: &[psa_operation] = &[operation::<Changed, by_name::get_ticket>()];
static PLUGIN: psa_plugin = plugin::<Changed>(OPERATIONS);

#[unsafe(no_mangle)]
extern "C" fn psa_plugin_entry(_: u32) -> *const psa_plugin {
    &PLUGIN
}

/// What the real SDK answers with the layout of both tables.
#[unsafe(no_mangle)]
extern "C" fn psa_plugin_layout() -> &'static TypeLayout {
    <psa_bytes as StableAbi>::LAYOUT
}
