#pragma once

#include <string>

namespace CLI {
class App;
}

namespace otaria::cli {

/// A completion script for `shell` (bash, zsh, fish), made from the tree of commands itself. Throws
/// Failure (usage) for another shell.
std::string completion_script(const CLI::App& app, const std::string& shell);

}  // namespace otaria::cli
