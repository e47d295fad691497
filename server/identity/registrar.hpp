#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "server/access/caller.hpp"
#include "server/identity/import_list.hpp"
#include "server/identity/nonce.hpp"
#include "server/identity/signed_request.hpp"
#include "server/registry/identity.hpp"
#include "server/store/store.hpp"

namespace otaria::server {

/// A device that is to get a claim: a MAC, an id, or both.
struct ClaimWish {
  std::string mac = {}, id = {}, product = {}, hardware = {};
};
struct MadeClaim {
  std::string mac = {}, id = {};
  std::string code = {};  ///< 26 characters of Crockford's base 32: the only copy
};

struct ImportResult {
  std::size_t created = 0, unchanged = 0;
  std::vector<ImportError> errors;  ///< when there is one, nothing was done
};

/// How devices get into the registry, and what becomes of them there. Each change and its line in
/// the audit log are one transaction.
///
/// Errors   Refusals by code; DatabaseError. Threads  any. Times in Unix seconds.
/// Source   reference trust, sections 12.2 and 12.5.
class Registrar {
 public:
  static constexpr std::size_t most_claims_at_once = 10'000;

  /// `trust_first_use`: a MAC that nobody knows may enrol without a claim; for benches only.
  /// `on_change` is called after a commit that may change who is denied.
  Registrar(Store& store, Nonces& nonces, bool trust_first_use, std::function<void()> on_change);

  /// All or nothing; a list that was imported already changes nothing.
  ImportResult import(std::vector<ImportRow> rows, const Caller& caller, std::int64_t now);

  /// Codes, one for each; earlier unused ones for the same MAC or id end. A MAC that is not known
  /// becomes a pending identity. Codes: bad_request, id_conflict.
  Outcome<std::vector<MadeClaim>> make_claims(const std::vector<ClaimWish>& wishes,
                                              const Caller& caller,
                                              std::int64_t now);

  /// What a device signed. Codes: use_nonce, claim_refused (unknown, used, or of another device:
  /// one answer for all), id_conflict. A repeat by the same key is answered as before.
  Outcome<DeviceIdentity> enrol(const EnrolmentRequest& request,
                                const std::string& source,
                                std::int64_t now);

  /// Codes: unknown_device, and those of in_state().
  Outcome<DeviceIdentity> set_state(const std::string& id,
                                    IdentityState state,
                                    const std::string& reason,
                                    const Caller& caller,
                                    std::int64_t now);

  /// A service (`otariad-<n>`, `monitor-<x>`) that gets no more tokens, and whose tokens are
  /// denied. Code unknown_service.
  Outcome<ServiceIdentity> revoke_service(const std::string& name,
                                          const Caller& caller,
                                          std::int64_t now);

 private:
  Store& store_;
  Nonces& nonces_;
  const bool trust_first_use_;
  const std::function<void()> on_change_;
};

/// SHA-256 of a claim's code as the store has it.
std::string claim_digest(const std::string& code);

}  // namespace otaria::server
