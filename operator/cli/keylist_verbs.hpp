#pragma once

#include <optional>
#include <string>
#include <vector>

#include "operator/cli/trust_files.hpp"

/// `otaria keylist make|sign|show|verify|publish`.
namespace otaria::cli {

inline constexpr unsigned default_list_days = 730;

/// What a list says beside its keys, as a command line has it.
struct ListChanges {
  std::vector<std::string> floors;  ///< PRODUCT=N
  std::vector<std::string> pins;    ///< HOST=base64url of 32 bytes
  std::optional<std::uint32_t> epoch;
  std::optional<std::uint32_t> root_threshold;
  std::optional<std::uint32_t> release_threshold;
  unsigned days = default_list_days;
};
/// Throws Failure (usage).
void apply(const ListChanges& changes, keys::KeyListDraft& draft);

struct MakeListArguments {
  std::string from;  ///< the list before; empty: a first list
  std::vector<std::string> roots;
  std::vector<std::string> releases;
  ListChanges changes;
  std::string out;  ///< empty: keys-<serial>.json
  KeyOptions options;
};
int make_key_list(Context& context, const MakeListArguments& arguments);

struct SignListArguments {
  std::string file;
  std::string key;
  std::string against;  ///< the list before, when the key is a root of it alone
  std::string out;      ///< empty: the file itself; for a working file its name with .jws
  KeyOptions options;
};
int sign_key_list(Context& context, const SignListArguments& arguments);

/// `file` empty: the server's.
int show_key_list(Context& context, const std::string& file, const std::string& against);
int verify_key_list(Context& context, const std::string& file, const std::string& against);
int publish_key_list(Context& context, const std::string& file);

/// Writes a working file and says who has to sign it. `before`: the list in force; empty: none.
/// `out` empty: keys-<serial>.json.
int write_working_list(Context& context,
                       const keys::KeyListDraft& draft,
                       const std::optional<keys::KeyListDraft>& before,
                       std::string out,
                       const std::string& what_happened);

}  // namespace otaria::cli
