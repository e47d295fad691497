// generate_firmware_hash FILE...: the SHA-256 of a firmware file, for a notice's `signature`.
#include <algorithm>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "device/verify/sha256.hpp"
#include "operator/image/commands.hpp"
#include "operator/image/image_report.hpp"

namespace {

constexpr std::string_view usage =
    "usage: generate_firmware_hash [--json] FILE...\n"
    "\n"
    "Prints the SHA-256 of a firmware image: 64 hex digits for one file, `digest  name` for "
    "several.\n"
    "  --json     one JSON object\n"
    "  --version  the version of this program\n"
    "  --help     this text\n"
    "A note goes to standard error when a file is no sound ESP application image; it is hashed all "
    "the same.\n"
    "Exit code: 0 done, 2 usage, 3 a file could not be read.\n";

int usage_error(const std::string& what, bool json) {
  if (json) {
    otaria::image::print_problem_json({"usage", what, "see generate_firmware_hash --help"},
                                      std::cout);
  } else {
    std::cerr << "generate_firmware_hash: " << what << '\n' << usage;
  }
  return otaria::image::exit_usage;
}

int run(const std::vector<std::string>& arguments) {
  std::vector<std::string> paths;
  // Wherever it stands: a wrong option before it is told in JSON too.
  const bool json = std::find(arguments.begin(), arguments.end(), "--json") != arguments.end();
  bool options_end = false;
  for (const std::string& argument : arguments) {
    if (options_end || argument == "-" || !argument.starts_with('-')) {
      paths.push_back(argument);
    } else if (argument == "--") {
      options_end = true;
    } else if (argument == "--json") {
      continue;
    } else if (argument == "--help" || argument == "-h") {
      std::cout << usage;
      return otaria::image::exit_accepted;
    } else if (argument == "--version") {
      std::cout << "generate_firmware_hash " OTARIA_VERSION "\n";
      return otaria::image::exit_accepted;
    } else {
      return usage_error("unknown option " + argument, json);
    }
  }
  if (paths.empty()) return usage_error("no file named", json);
  return otaria::image::hash(paths, json, std::cout, std::cerr);
}

}  // namespace

int main(int argc, char** argv) {
  if (!otaria::device::init_crypto()) {
    std::cerr << "generate_firmware_hash: the crypto library cannot be started\n";
    return otaria::image::exit_refused;
  }
  try {
    return run({argv + 1, argv + argc});
  } catch (const std::exception& unforeseen) {
    std::cerr << "generate_firmware_hash: " << unforeseen.what() << '\n';
    return otaria::image::exit_refused;
  }
}
