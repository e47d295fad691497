#include "operator/cli/token_verbs.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "contract/openssl/crypto.hpp"
#include "operator/cli/terminal/table.hpp"

namespace otaria::cli {
namespace {

std::string time_of(const Json& token, const char* name) {
  const auto seconds = number_member(token, name);
  return seconds == 0 ? "-" : terminal::human_time(static_cast<std::int64_t>(seconds));
}

std::string role_of(const Json& token) {
  const std::string product = text_member(token, "product");
  return text_member(token, "role") + (product.empty() ? "" : " of " + product);
}

terminal::Colour colour_of_state(const std::string& state) {
  if (state == "valid") return terminal::Colour::green;
  return state == "revoked" ? terminal::Colour::red : terminal::Colour::yellow;
}

/// Before the server is asked: a token whose file cannot be written would be lost.
void check_out(const std::string& path) {
  std::error_code error;
  if (std::filesystem::symlink_status(path, error).type() !=
      std::filesystem::file_type::not_found) {
    throw Failure(exit_usage,
                  "file_exists",
                  fmt::format("{} is there already.", path),
                  "Name another file, or remove that one; its token may still be in use.");
  }
  const auto folder = std::filesystem::path(path).parent_path();
  if (!folder.empty() && !std::filesystem::is_directory(folder, error)) {
    throw Failure(exit_usage,
                  "no_such_folder",
                  fmt::format("{} is no folder.", folder.string()),
                  "Make it first, or name another place with --out FILE.");
  }
}

void write_token(const std::string& path, const std::string& text, const std::string& id) {
  try {
    crypto::write_secret_file(path, text + "\n");
  } catch (const crypto::CryptoError& error) {
    throw Failure(exit_refused,
                  "file_not_written",
                  fmt::format("The token {} was made, but {}.", id, error.what()),
                  fmt::format("Revoke it with `otaria token revoke {}` and make another.", id));
  }
}

}  // namespace

int create_token(Context& context, const TokenArguments& arguments) {
  if (!arguments.out.empty()) check_out(arguments.out);
  Json body{{"role", arguments.role}, {"name", arguments.name}, {"days", arguments.days}};
  if (!arguments.product.empty()) body["product"] = arguments.product;
  if (!arguments.person.empty()) body["person"] = arguments.person;
  Json token = context.client().post("/tokens", body);
  const std::string text = text_member(token, "token");
  const std::string id = text_member(token, "id");
  if (!arguments.out.empty()) {
    write_token(arguments.out, text, id);
    token.erase("token");
    token["file"] = arguments.out;
  }
  if (context.json()) {
    context.print(token);
    return exit_ok;
  }
  context.note(fmt::format("Token {} with the role {}, until {}.{}",
                           terminal::printable(id),
                           terminal::printable(role_of(token)),
                           time_of(token, "expires_at"),
                           arguments.out.empty() ? " It is shown this once:" : ""));
  context.say(arguments.out.empty() ? text : fmt::format("Written to {}.", arguments.out));
  const std::string recommendation = text_member(token, "recommendation");
  if (!recommendation.empty()) context.note(terminal::printable(recommendation));
  return exit_ok;
}

int list_tokens(Context& context, std::size_t limit) {
  const auto items = context.client().list("/tokens", {}, limit);
  if (context.json()) {
    context.print({{"items", items}});
    return exit_ok;
  }
  terminal::Table table(
      {{"ID"}, {"ROLE"}, {"STATE"}, {"EXPIRES"}, {"LAST USED"}, {"CREATOR"}, {"PERSON"}, {"NAME"}});
  for (const auto& token : items) {
    const std::string state = text_member(token, "state");
    table.add({text_member(token, "id"),
               role_of(token),
               {state, colour_of_state(state)},
               time_of(token, "expires_at"),
               time_of(token, "last_used_at"),
               text_member(token, "creator"),
               text_member(token, "person"),
               text_member(token, "name")});
  }
  context.out() << table.text(context.out_traits());
  return exit_ok;
}

int revoke_token(Context& context, const std::string& id) {
  const std::string bare = id.starts_with("ota_") ? id.substr(4) : id;
  // Who pastes a whole token has it in the shell's history now; the server needs its id alone.
  if (bare.find('_') != std::string::npos) {
    throw Failure(exit_usage,
                  "token_in_place_of_id",
                  "That is a token, not the id of one; it now stands in your shell's history.",
                  "Name the id alone, the 8 characters behind ota_: `otaria token list` shows it.");
  }
  const Json token = context.client().remove("/tokens/" + url_encoded(bare));
  if (context.json()) {
    context.print(token);
    return exit_ok;
  }
  context.say(fmt::format("Revoked {} ({}).",
                          terminal::printable(text_member(token, "id")),
                          terminal::printable(role_of(token))));
  return exit_ok;
}

}  // namespace otaria::cli
