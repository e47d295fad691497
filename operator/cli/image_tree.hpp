#pragma once

#include "operator/cli/command_tree.hpp"

namespace otaria::cli {

/// `image inspect|hash|make|partitions`: no server needed; the work is operator/image's.
void add_image_verbs(CLI::App& app, Request& request);

/// A verb with its example.
CLI::App* add_verb(CLI::App& parent,
                   const char* name,
                   const char* what,
                   const std::string& example);

}  // namespace otaria::cli
