#include "operator/cli/key_verbs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "operator/cli/terminal/table.hpp"
#include "operator/keys/key_error.hpp"
#include "operator/keys/token_key.hpp"

namespace otaria::cli {
namespace {

using contract::KeyRole;

Json json_of(const crypto::PublicKey& key, std::string_view role) {
  Json json{{"kid", key.key_id()},
            {"alg", name_of(key.algorithm)},
            {"pub", key.base64url()},
            {"pem", key.pem()}};
  json["role"] = role.empty() ? Json(nullptr) : Json(role);
  return json;
}

/// The key in a file of mode 0600; it never is in a file without its passphrase on the way there.
crypto::PublicKey create_in_file(const CreateKeyArguments& arguments,
                                 contract::Algorithm algorithm,
                                 KeyRole role) {
  refuse_existing(arguments.out);
  const keys::KeyOpener opener = opener_of(arguments.options);
  const bool plain = arguments.options.development && arguments.options.passphrase_files.empty();
  const keys::Secret passphrase =
      plain ? keys::Secret{} : keys::new_passphrase(opener.options().secrets, arguments.out);
  const crypto::PrivateKey key = crypto::PrivateKey::generate(algorithm);
  std::string text = keys::key_file_text(key, role, passphrase.view());
  try {
    crypto::write_secret_file(arguments.out, text);
  } catch (const crypto::CryptoError& error) {
    keys::wipe(text);
    throw Failure(exit_usage,
                  "cannot_write",
                  fmt::format("{}.", error.what()),
                  "Name another place with --out FILE.");
  }
  keys::wipe(text);
  return key.public_key();
}

crypto::PublicKey create_in_token(const CreateKeyArguments& arguments,
                                  contract::Algorithm algorithm) {
  const keys::KeyReference reference = keys::parse_key_reference(arguments.key);
  const auto* token = std::get_if<keys::TokenReference>(&reference);
  if (token == nullptr) {
    throw Failure(exit_usage,
                  "bad_key_reference",
                  "--key names the place of the new key in a token.",
                  "Write --key 'pkcs11:token=…;object=…', or --out FILE for a key file.");
  }
  const auto& secrets = opener_of(arguments.options).options().secrets;
  return keys::TokenKey::create(*token, algorithm, secrets)->public_key();
}

const keys::DraftKey* find_in(const LoadedList& list, const std::string& key_id) {
  return list.draft.find(key_id);
}

std::string state_in(const LoadedList& list, const std::string& key_id) {
  const auto& revoked = list.draft.revoked;
  if (std::find(revoked.begin(), revoked.end(), key_id) != revoked.end()) return "revoked";
  return find_in(list, key_id) != nullptr ? "listed" : "unknown";
}

int list_of_keylist(Context& context, const std::string& file) {
  const LoadedList loaded = load_key_list(context, file);
  Json items = Json::array();
  terminal::Table table({{"KEY"}, {"ROLE"}, {"ALG"}, {"STATE"}});
  for (const keys::DraftKey& each : loaded.draft.keys) {
    const std::string role{name_of(each.role)};
    const std::string algorithm{name_of(each.key.algorithm)};
    items.push_back(
        {{"kid", each.key.key_id()}, {"role", role}, {"alg", algorithm}, {"state", "listed"}});
    table.add({each.key.key_id(), role, algorithm, "listed"});
  }
  for (const std::string& key_id : loaded.draft.revoked) {
    items.push_back({{"kid", key_id}, {"role", nullptr}, {"alg", nullptr}, {"state", "revoked"}});
    table.add({key_id, "", "", {"revoked", terminal::Colour::red}});
  }
  if (context.json()) {
    context.print(
        {{"serial", loaded.draft.serial}, {"signed", loaded.list.is_signed()}, {"items", items}});
    return exit_ok;
  }
  context.say(fmt::format("Key list {} of {}{}",
                          loaded.draft.serial,
                          terminal::printable(loaded.source),
                          loaded.list.is_signed() ? "" : ", not signed yet"));
  context.out() << table.text(context.out_traits()) << std::flush;
  return exit_ok;
}

struct FoundFile {
  std::string path;
  keys::KeyFileFacts facts;
  std::string trouble;  ///< why it cannot be used
};

/// Whatever in a folder is a key; files of other kinds are passed over.
std::vector<FoundFile> key_files_in(const std::string& folder) {
  std::vector<FoundFile> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (!entry.is_regular_file(error)) continue;
    FoundFile file{entry.path().string(), {}, {}};
    try {
      file.facts = keys::look_into_key_file(file.path);
    } catch (const keys::KeyError& problem) {
      if (problem.code != "key_file_exposed" && problem.code != "key_format") continue;
      file.trouble = problem.code;
    }
    found.push_back(std::move(file));
  }
  if (error) {
    throw Failure(exit_usage,
                  "no_such_folder",
                  fmt::format("{} cannot be read: {}.", folder, error.message()),
                  "Name the folder with the key files; without it the server's keys are listed.");
  }
  std::sort(
      found.begin(), found.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return found;
}

std::string protection_of(const FoundFile& file) {
  if (!file.trouble.empty()) return file.trouble;
  if (!file.facts.has_private) return "public";
  return file.facts.encrypted ? "encrypted" : "unencrypted";
}

int list_of_folder(Context& context, const std::string& folder) {
  Json items = Json::array();
  terminal::Table table({{"KEY"}, {"ROLE"}, {"ALG"}, {"FILE IS"}, {"FILE"}});
  for (const FoundFile& file : key_files_in(folder)) {
    const auto& key = file.facts.public_key;
    const std::string key_id = key ? key->key_id() : "";
    const std::string role{file.facts.role ? name_of(*file.facts.role) : ""};
    const std::string algorithm{key ? name_of(key->algorithm) : ""};
    const std::string state = protection_of(file);
    items.push_back({{"file", file.path},
                     {"kid", key ? Json(key_id) : Json(nullptr)},
                     {"role", file.facts.role ? Json(role) : Json(nullptr)},
                     {"alg", key ? Json(algorithm) : Json(nullptr)},
                     {"state", state}});
    const bool bad = state != "public" && state != "encrypted";
    table.add({key ? key_id : std::string("unknown"),
               role.empty() ? std::string("-") : role,
               algorithm.empty() ? std::string("-") : algorithm,
               {state, bad ? terminal::Colour::red : terminal::Colour::none},
               file.path});
  }
  if (context.json()) {
    context.print({{"items", items}});
  } else if (items.empty()) {
    context.say("No keys in this folder. Make one: otaria key create --role release --out FILE");
  } else {
    context.out() << table.text(context.out_traits()) << std::flush;
  }
  return exit_ok;
}

struct SeenKey {
  crypto::PublicKey key;
  std::string role;   ///< empty: unknown
  std::string state;  ///< in the list; empty: no list was asked
};

SeenKey look_at(Context& context, const ShowKeyArguments& arguments) {
  // A key id is no file's name here: 16 hex digits and nothing else.
  const bool by_id = contract::is_key_id(arguments.key);
  std::optional<LoadedList> list;
  if (by_id || !arguments.key_list.empty()) list = load_key_list(context, arguments.key_list);
  if (by_id) {
    const keys::DraftKey* found = find_in(*list, arguments.key);
    if (found != nullptr) return {found->key, std::string{name_of(found->role)}, "listed"};
    throw Failure(
        exit_refused,
        state_in(*list, arguments.key) == "revoked" ? "revoked_key" : "unknown_key",
        fmt::format(
            "List {} of {} has no key {}.", list->draft.serial, list->source, arguments.key),
        "`otaria key list` shows those it has.");
  }
  keys::KeyOpener opener = opener_of(arguments.options);
  const auto known = opener.look_at(arguments.key);
  SeenKey seen{known.key, std::string{known.role ? name_of(*known.role) : ""}, ""};
  if (!list) return seen;
  seen.state = state_in(*list, seen.key.key_id());
  if (const auto* found = find_in(*list, seen.key.key_id()); found != nullptr)
    seen.role = name_of(found->role);
  return seen;
}

}  // namespace

int create_key(Context& context, const CreateKeyArguments& arguments) {
  if (arguments.out.empty() == arguments.key.empty()) {
    throw Failure(exit_usage,
                  "usage",
                  "A new key goes into a file or into a token.",
                  "Write --out FILE, or --key 'pkcs11:token=…;object=…'.");
  }
  const KeyRole role = *contract::key_role_from(arguments.role);
  const contract::Algorithm algorithm = *contract::algorithm_from(arguments.algorithm);
  const bool in_file = !arguments.out.empty();
  const crypto::PublicKey key =
      in_file ? create_in_file(arguments, algorithm, role) : create_in_token(arguments, algorithm);
  const std::string place = in_file ? arguments.out : keys::display_name(arguments.key);
  if (context.json()) {
    Json json = json_of(key, arguments.role);
    json[in_file ? "file" : "key"] = place;
    context.print(json);
    return exit_ok;
  }
  context.say(fmt::format(
      "Made {} key {} ({}) in {}.", arguments.role, key.key_id(), name_of(algorithm), place));
  if (!context.quiet()) {
    context.say(in_file ? "Keep the file and its passphrase apart, and a copy of both elsewhere."
                        : "It cannot leave the token: have a second key, or a second token.");
  }
  return exit_ok;
}

int list_keys(Context& context, const ListKeysArguments& arguments) {
  if (arguments.folder.empty()) return list_of_keylist(context, arguments.key_list);
  if (!arguments.key_list.empty()) {
    throw Failure(exit_usage,
                  "usage",
                  "Either a folder is listed or a key list.",
                  "Leave one of the two out.");
  }
  return list_of_folder(context, arguments.folder);
}

int show_key(Context& context, const ShowKeyArguments& arguments) {
  const SeenKey seen = look_at(context, arguments);
  if (context.json()) {
    Json json = json_of(seen.key, seen.role);
    if (!seen.state.empty()) json["state"] = seen.state;
    context.print(json);
    return exit_ok;
  }
  context.say(fmt::format("key          {}", seen.key.key_id()));
  context.say(fmt::format("role         {}", seen.role.empty() ? "unknown" : seen.role));
  context.say(fmt::format("algorithm    {}", name_of(seen.key.algorithm)));
  if (!seen.state.empty()) context.say(fmt::format("state        {}", seen.state));
  context.out() << seen.key.pem() << std::flush;
  return exit_ok;
}

int export_key(Context& context, const ShowKeyArguments& arguments) {
  const SeenKey seen = look_at(context, arguments);
  const std::string text = arguments.format == "pem" ? seen.key.pem() : seen.key.base64url() + "\n";
  if (!arguments.out.empty()) write_text(arguments.out, text);
  if (context.json()) {
    context.print(json_of(seen.key, seen.role));
  } else if (arguments.out.empty()) {
    context.out() << text << std::flush;
  } else {
    context.say(
        fmt::format("Wrote the public half of {} to {}.", seen.key.key_id(), arguments.out));
  }
  return exit_ok;
}

}  // namespace otaria::cli
