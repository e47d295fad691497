#pragma once

#include "operator/cli/command_tree.hpp"

namespace otaria::cli {

/// `otaria cert …`: certificates for TLS. Needs no server.
void add_cert_verbs(CLI::App& app, Request& request);

}  // namespace otaria::cli
