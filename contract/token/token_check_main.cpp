#include <CLI/CLI.hpp>
#include <ctime>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>

#include "contract/token/checker.hpp"

/// otaria-token-check: says why a broker refuses a token, by the very check that the plugin and the
/// hook run. The token comes by standard input: an argument would show in process lists.
/// Exit 0 good, 2 usage, 3 refused.
namespace {

using namespace otaria::token;

constexpr int exit_usage = 2;
constexpr int exit_refused = 3;

std::string content_of(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  if (!file) throw std::runtime_error{path + ": cannot be opened"};
  return {std::istreambuf_iterator<char>{file}, {}};
}

std::string token_from_input() {
  std::string token;
  std::getline(std::cin, token);
  while (token.ends_with('\r')) token.pop_back();
  return token;
}

void print_rights(const char* what, const std::vector<std::string>& filters) {
  for (const std::string& filter : filters) std::cout << what << ' ' << filter << '\n';
}

struct Arguments {
  std::string jwks;
  std::string denylist;
  std::optional<std::string> username;
  std::optional<std::string> client_id;
  std::string issuer = "otaria";
  std::string audience = "otaria";
};

int run(const Arguments& arguments) {
  auto keys = KeySet::parse(content_of(arguments.jwks));
  if (!keys.keys) throw std::runtime_error{arguments.jwks + ": " + keys.error};
  Denylist denied;
  if (!arguments.denylist.empty()) {
    auto reading = Denylist::parse(content_of(arguments.denylist));
    if (!reading.list) throw std::runtime_error{arguments.denylist + ": " + reading.error};
    denied = *std::move(reading.list);
  }
  const Verdict verdict = TokenChecker{arguments.issuer, arguments.audience}.check(
      token_from_input(),
      {arguments.username, arguments.client_id},
      *keys.keys,
      denied,
      std::time(nullptr));
  if (!verdict.ok()) {
    std::cout << "refused: " << name_of(verdict.refusal) << '\n';
    return exit_refused;
  }
  std::cout << "good: client id " << verdict.claims.client_id << ", username "
            << verdict.claims.username << ", ends at " << verdict.claims.expires << '\n';
  print_rights("subscribe", verdict.claims.subscribe);
  print_rights("publish", verdict.claims.publish);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app{"Checks the access token on standard input as Otaria's brokers do."};
  app.add_option("--jwks", arguments.jwks, "the issuer's public keys (JSON Web Key Set)")
      ->required();
  app.add_option("--denylist", arguments.denylist, "who is shut out");
  app.add_option("--username", arguments.username, "MQTT user name of the client: its MAC");
  app.add_option("--client-id", arguments.client_id, "MQTT client id: the device id");
  app.add_option("--issuer", arguments.issuer, "expected `iss`")->capture_default_str();
  app.add_option("--audience", arguments.audience, "expected `aud`")->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : exit_usage;
  }
  try {
    return run(arguments);
  } catch (const std::exception& error) {
    std::cerr << "otaria-token-check: " << error.what() << '\n';
    return exit_usage;
  }
}
