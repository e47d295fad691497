#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

/// The golden examples, for tests of both codecs.
namespace otaria::contract {

/// One example and what a reader must say of it; a row of contract/golden/index.json.
struct Golden {
  std::string file;      ///< below contract/golden/
  std::string message;   ///< notice, status or state
  std::string payload;   ///< byte for byte
  std::string defect;    ///< name_of(Defect); `none`: valid
  std::string member;    ///< the member at fault; empty: the text as a whole
  std::string identity;  ///< notices only: what names the update: `update`, `digest` or `none`
};

/// The examples of one message. Throws when the index or a file cannot be read, or there is none.
std::vector<Golden> load_goldens(const std::filesystem::path& folder, std::string_view message);

/// The file's name as GoogleTest allows a test to be called.
std::string test_name_of(const Golden& golden);

}  // namespace otaria::contract
