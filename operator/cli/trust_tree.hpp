#pragma once

#include "operator/cli/command_tree.hpp"
#include "operator/cli/release_signing.hpp"

namespace otaria::cli {

/// `otaria key …` and `otaria keylist …`.
void add_trust_verbs(CLI::App& app, Request& request);
/// `otaria release sign|upload`.
void add_release_signing_verbs(CLI::App& release, Request& request);

/// Options of everything that opens keys. They fill `options`, which must outlive the parse.
void add_key_options(CLI::App& verb, KeyOptions& options);
/// `--key`, `--keylist` and the options above.
void add_signing_options(CLI::App& verb, SigningArguments& how);
/// What a manifest says: `--product`, `--expires`, …
void add_manifest_options(CLI::App& verb, ManifestArguments& what);

}  // namespace otaria::cli
