#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "operator/cli/context.hpp"

namespace otaria::cli {

/// The frame of every program here: parses, runs, and turns whatever happens into one exit code and
/// one message. `work` runs after the parse; `global` holds what the parse filled in.
int run_program(CLI::App& app,
                int argc,
                char** argv,
                const GlobalOptions& global,
                const std::function<int(Context&)>& work);

}  // namespace otaria::cli
