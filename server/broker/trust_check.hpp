#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "server/registry/preflight.hpp"
#include "server/store/store.hpp"

namespace otaria::server {

/// What the newest key list says of releases that are to be offered; each is judged once, however
/// many devices it is for.
///
/// Errors  DatabaseError. Threads  the one of its view.
class TrustCheck {
 public:
  /// `now`: Unix seconds.
  TrustCheck(StoreView& view, std::int64_t now)
      : view_{view}, now_{now}, keys_{view.newest_key_list()} {}

  /// Why no production device would take the release, whatever it is; nothing for a release without
  /// manifest. Codes: those of judge_again(), security_counter (below the list's floor).
  std::optional<Refusal> refusal_of(const Release& release);
  TrustFacts facts_of(const std::string& product);

 private:
  std::optional<Refusal> judge(const ReleaseManifest& said, const std::string& product);

  StoreView& view_;
  const std::int64_t now_;
  const std::optional<StoredKeyList> keys_;
  std::map<std::string, std::optional<Refusal>> judged_;  ///< by manifest id
  std::map<std::string, TrustFacts> facts_;               ///< by product
};

}  // namespace otaria::server
