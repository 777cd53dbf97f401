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
