//! The same types, seen by abi_stable.
//!
//! SDK plugins export `psa_plugin_layout`, which answers this layout; the host compares it with its own when both
//! minors are equal. Across minors sizes and the golden files decide: abi_stable refuses any appended field.

use super::{psa_plugin, psa_services};
use abi_stable::StableAbi;
use abi_stable::abi_stability::abi_checking::{CheckingGlobals, check_layout_compatibility_with_globals};
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
    // With what is its own: abi_stable's statics have locks, which a child inherits if it was forked meanwhile.
    check_layout_compatibility_with_globals(layout(), plugin, &CheckingGlobals::new())
        .map_err(|errors| errors.to_string())
}

#[cfg(test)]
mod tests {
    use super::{compare, layout};
    use abi_stable::abi_stability::abi_checking::get_checking_globals;
    use std::sync::mpsc;
    use std::time::Duration;

    /// A child hung in it that was forked while another thread of its parent loaded a plugin.
    #[test]
    fn a_comparison_waits_for_no_lock_that_a_child_may_have_inherited() {
        let globals = get_checking_globals();
        let _held =
            (globals.prefix_type_map.lock(), globals.nonexhaustive_map.lock(), globals.extra_checker_map.lock());
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || tell.send(compare(layout())));
        assert_eq!(told.recv_timeout(Duration::from_secs(60)), Ok(Ok(())));
    }
}
