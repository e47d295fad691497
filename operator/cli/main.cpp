#include "operator/cli/command_tree.hpp"
#include "operator/cli/run.hpp"

int main(int argc, char** argv) {
  CLI::App app;
  otaria::cli::Request request;
  otaria::cli::build_command_tree(app, request);
  return otaria::cli::run_program(
      app, argc, argv, request.global, [&](otaria::cli::Context& context) {
        return request.verb(context);
      });
}
