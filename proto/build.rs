//! Compiles the `.proto` files with protox (no `protoc` needed) and gives every message a `Debug`
//! that prints its name and nothing of its content, so that none can be forgotten.

use std::{env, error::Error, fmt::Write as _, fs, path::PathBuf};

use prost::Message as _;

const FILES: &[&str] = &[
    "tresor/vault/v1/context.proto",
    "tresor/vault/v1/field.proto",
    "tresor/vault/v1/limits.proto",
    "tresor/vault/v1/record_service.proto",
    "tresor/vault/v1/surrogate.proto",
    "tresor/vault/v1/surrogate_service.proto",
    "tresor/vault/v1/customer_token_service.proto",
    "tresor/vault/v1/tenant_service.proto",
    "tresor/vault/v1/user.proto",
    "tresor/vault/v1/collection_service.proto",
    "tresor/vault/v1/access_service.proto",
    "tresor/vault/v1/key_service.proto",
    "tresor/vault/v1/seal_service.proto",
    "tresor/storage/v1/record.proto",
    "tresor/storage/v1/surrogate.proto",
    "tresor/storage/v1/keyring.proto",
    "tresor/storage/v1/registry.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=schema");
    println!("cargo:rerun-if-changed=third_party");
    let descriptors = protox::compile(FILES, ["schema", "third_party"])?;
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;

    let mut redacted = String::new();
    let mut config = tonic_prost_build::Config::new();
    let mut names = Vec::new();
    for file in descriptors.file.iter().filter(|file| file.package().starts_with("tresor.")) {
        let version_module = file.package().split('.').nth(1).unwrap_or_default();
        for message in &file.message_type {
            names.push(format!(".{}.{}", file.package(), message.name()));
            write_debug(&mut redacted, version_module, message)?;
        }
    }
    fs::write(out.join("redacted.rs"), redacted)?;
    config.skip_debug(names);
    tonic_prost_build::configure()
        .extern_path(".google.rpc.Status", "::tonic_types::Status")
        .compile_fds_with_config(descriptors, config)?;
    Ok(())
}

/// Writes `impl Debug` for a message and its oneofs. Messages are not nested (`buf lint` and this
/// build keep it so): a nested one would fail to compile, having no `Debug`.
fn write_debug(
    out: &mut String,
    module: &str,
    message: &prost_types::DescriptorProto,
) -> Result<(), Box<dyn Error>> {
    let mut types = vec![(message.name().to_owned(), message.name().to_owned())];
    // A field that is `optional` is described as a oneof too, with `_` before its name; it has no
    // type of its own.
    for oneof in message.oneof_decl.iter().filter(|oneof| !oneof.name().starts_with('_')) {
        let path = format!("{}::{}", to_snake(message.name()), to_camel(oneof.name()));
        types.push((path, format!("{}.{}", message.name(), oneof.name())));
    }
    for (path, shown) in types {
        writeln!(
            out,
            "impl ::core::fmt::Debug for crate::{module}::{path} {{\n    \
             fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {{\n        \
             f.write_str(\"{shown}\")\n    }}\n}}"
        )?;
    }
    Ok(())
}

fn to_snake(camel: &str) -> String {
    let mut snake = String::new();
    for (at, letter) in camel.chars().enumerate() {
        if letter.is_ascii_uppercase() && at > 0 {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

fn to_camel(snake: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| {
            first.to_ascii_uppercase().to_string() + letters.as_str()
        })
    };
    snake.split('_').map(capital).collect()
}
