//! The same types, seen by abi_stable.
//!
//! SDK plugins export `psa_plugin_layout`, which answers this layout; the host compares it with its own when both
//! minors are equal. Across minors sizes and the golden files decide: abi_stable refuses any appended field.

use super::{psa_plugin, psa_services};
use abi_stable::StableAbi;
use abi_stable::type_layout::TypeLayout;

/// Both tables in one type, so that one comparison covers all that crosses.
#[repr(C)]
#[derive(StableAbi)]
pub struct Contract {
    services: psa_services,
    plugin: psa_plugin,
}

/// What `psa_plugin_layout` returns: the layout as the plugin was compiled with.
pub type LayoutFn = unsafe extern "C" fn() -> &'static TypeLayout;

/// The layout of the contract this crate was compiled with.
pub const fn layout() -> &'static TypeLayout {
    <Contract as StableAbi>::LAYOUT
}

/// Why two layouts do not fit, in abi_stable's words; `Ok` if they do.
pub fn compare(plugin: &'static TypeLayout) -> Result<(), String> {
    abi_stable::abi_stability::abi_checking::check_layout_compatibility(layout(), plugin)
        .map_err(|errors| errors.to_string())
}
