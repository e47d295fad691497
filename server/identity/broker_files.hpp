#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "server/store/store.hpp"

namespace otaria::server {

struct BrokerFilesConfig {
  std::filesystem::path directory = {};
  unsigned file_mode = 0644;
  std::string group = {};  ///< empty: the process' own
};

/// The denylist of the brokers' plugin: a line `sub:<subject>` or `jti:<id>` with ` until:<Unix s>`
/// for each, the last second plus what a broker's clock may differ.
/// Source  reference broker authentication, section 6.
std::string denylist_text(const std::vector<DeniedToken>& denied);

/// Files that a broker on this machine reads: public keys and who is denied; nothing secret. Each
/// is replaced as a whole (rename), so a reader sees the old one or the new one.
///
/// Errors   std::runtime_error, with the path and the reason. Threads  any.
class BrokerFiles {
 public:
  explicit BrokerFiles(BrokerFilesConfig config);

  /// Writes when the content is another than this object wrote last.
  void put(const std::string& name, const std::string& content);
  [[nodiscard]] std::filesystem::path path_of(const std::string& name) const {
    return config_.directory / name;
  }

 private:
  void write(const std::string& name, std::string_view content) const;

  const BrokerFilesConfig config_;
  gid_t group_ = static_cast<gid_t>(-1);
  std::mutex mutex_;
  std::map<std::string, std::string> written_;
};

inline constexpr const char* jwks_file = "jwks.json";
inline constexpr const char* denylist_file = "denied";

}  // namespace otaria::server
