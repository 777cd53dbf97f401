//! Statements by name, so that every one of them can be looked at.

/// Declares constants and the list `ALL` of their names and texts.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $text:expr;)*) => {
        $($(#[$doc])* pub(super) const $name: &str = $text;)*
        #[cfg(test)]
        pub(super) const ALL: &[(&str, &str)] = &[$((stringify!($name), $text),)*];
    };
}
pub(super) use statements;

/// What links are counted up to: one more than [`LINKS_COUNTED_MAX`](crate::store::LINKS_COUNTED_MAX), which says that there
/// are more.
macro_rules! links_counted {
    () => {
        "10001"
    };
}
pub(super) use links_counted;

#[cfg(test)]
mod tests {
    #[test]
    fn one_link_more_is_counted_than_is_shown() {
        let counted: u64 = links_counted!().parse().unwrap();
        assert_eq!(counted, crate::store::LINKS_COUNTED_MAX + 1);
    }
}
