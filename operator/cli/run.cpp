#include "operator/cli/run.hpp"

#include <unistd.h>

#include <csignal>
#include <iostream>
#include <string_view>

#include "operator/cli/interrupt.hpp"
#include "operator/keys/key_error.hpp"

namespace otaria::cli {
namespace {

/// Whether --json stands on a command line that could not be parsed.
bool wants_json(int argc, char** argv) {
  for (int i = 1; i < argc && std::string_view(argv[i]) != "--"; ++i) {
    if (std::string_view(argv[i]) == "--json") return true;
  }
  return false;
}

/// The innermost verb that was recognised: its --help is the one to recommend.
std::string command_so_far(const CLI::App& app) {
  std::string command = app.get_name();
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
    command += " " + at->get_name();
  }
  return command;
}

/// CLI11 misses the verb before it looks at the word that stands in its place; that word is what
/// the user wants named.
std::string description_of(const CLI::ParseError& error, const CLI::App& app) {
  const auto unknown = app.remaining(true);
  std::string what = error.what();
  if (unknown.empty() || what.find("subcommand") == std::string::npos) return what;
  return "`" + command_so_far(app) + "` has no verb `" + unknown.front() + "`";
}

}  // namespace

int run_program(CLI::App& app,
                int argc,
                char** argv,
                const GlobalOptions& global,
                const std::function<int(Context&)>& work) {
  const auto err_traits = terminal::detect(STDERR_FILENO);
  ::signal(SIGPIPE, SIG_IGN);  // a reader that leaves (`| head`) is no crash
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // --help, --version
    return app.exit(asked, std::cout, std::cerr);
  } catch (const CLI::ParseError& error) {
    const Failure failure(exit_usage,
                          "usage",
                          description_of(error, app),
                          "See `" + command_so_far(app) + " --help`.");
    return report(failure, wants_json(argc, argv), std::cout, std::cerr, err_traits);
  }
  catch_interrupts();
  try {
    Context context(global, std::cout, std::cerr, terminal::detect(STDOUT_FILENO), err_traits);
    return work(context);
  } catch (const Failure& failure) {
    return report(failure, global.json, std::cout, std::cerr, err_traits);
  } catch (const keys::KeyError& error) {
    const bool usage = error.kind == keys::KeyError::Kind::usage;
    const Failure failure(usage ? exit_usage : exit_refused, error.code, error.detail, error.hint);
    return report(failure, global.json, std::cout, std::cerr, err_traits);
  } catch (const std::exception& unforeseen) {
    const Failure failure(
        exit_refused, "internal", unforeseen.what(), "Please report this with the command line.");
    return report(failure, global.json, std::cout, std::cerr, err_traits);
  }
}

}  // namespace otaria::cli
