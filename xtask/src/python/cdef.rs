//! The C declarations for cffi, which reads no preprocessor.
//!
//! Promises: what is left of a header is constants that are numbers, types and functions, in its order.

use crate::generate::Generated;

/// The headers of products, in the order in which they include each other.
const HEADERS: [&str; 2] = ["include/psa_common.h", "include/psa_host.h"];

/// The body of the Python file.
pub(super) fn text(headers: &[Generated]) -> Result<String, String> {
    let mut out = String::from("\nCDEF = \"\"\"\n");
    for path in HEADERS {
        let header = headers.iter().find(|file| file.path == path).ok_or_else(|| format!("{path} is not generated"))?;
        out.push_str(&declarations(&header.text));
    }
    out.push_str("\"\"\"\n");
    Ok(out)
}

/// One header without comments, macros and what only C++ sees.
fn declarations(header: &str) -> String {
    let mut out = String::new();
    for line in without_comments(header).lines() {
        let line = line.trim_end();
        let kept = if line.starts_with('#') { is_number(line) } else { !is_of_cpp(line) };
        let line = line.strip_prefix("PSA_API").map_or(line, str::trim_start);
        if kept && !line.is_empty() {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

fn without_comments(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, comment)) = rest.split_once("/*") {
        out.push_str(before);
        rest = comment.split_once("*/").map_or("", |(_, after)| after);
    }
    out + rest
}

/// `#define PSA_NAME 17`.
fn is_number(line: &str) -> bool {
    let mut words = line.split_whitespace();
    words.next() == Some("#define")
        && words.next().is_some()
        && words.next().is_some_and(|value| value.parse::<i64>().is_ok())
        && words.next().is_none()
}

fn is_of_cpp(line: &str) -> bool {
    line == "}" || line.starts_with("extern \"C\"") || line.starts_with("PSA_SIZE_IS(")
}

#[cfg(test)]
mod tests {
    use super::declarations;

    #[test]
    fn numbers_types_and_functions_are_left() {
        let header = r#"/* About
 * it. */
#ifndef PSA_X_H
#define PSA_X_H
#ifdef __cplusplus
extern "C" {
#endif
#define PSA_API __attribute__((visibility("default")))
#define PSA_ONE 1 /* one */
#define PSA_ABI (((uint32_t)PSA_ABI_MAJOR << 16))
typedef struct psa_x {
    void *ctx; /* First */
} psa_x;

/* Opens. */
PSA_API psa_code psa_x_open(psa_x *x);
PSA_API
psa_code psa_x_do(psa_x *x,
                  int32_t (*run)(void *ctx));
PSA_SIZE_IS(psa_x, sizeof(void *));
#ifdef __cplusplus
} /* extern "C" */
#endif
"#;
        let left = "#define PSA_ONE 1
typedef struct psa_x {
    void *ctx;
} psa_x;
psa_code psa_x_open(psa_x *x);
psa_code psa_x_do(psa_x *x,
                  int32_t (*run)(void *ctx));
";
        assert_eq!(declarations(header), left);
    }
}
