#pragma once

#include <cstdint>
#include <string_view>

#include "contract/messages.hpp"
#include "contract/trust/judgement.hpp"
#include "contract/trust/manifest.hpp"
#include "device/agent/identity.hpp"
#include "device/result/result.hpp"

/// May what a signed manifest says be installed here? Pure.
/// Source  reference trust, sections 8 (steps 5 to 8), 9 and 10; docs/spec/keys.md.
namespace otaria::device {

/// What a manifest is judged against.
struct ManifestSituation {
  const Identity& identity;
  std::string_view running_version = {};
  std::uint32_t max_image = 0;        ///< bytes of the passive slot
  std::uint32_t keys_serial = 0;      ///< of the key list in force
  std::uint32_t security_floor = 0;   ///< Ledger::security_floor()
  std::uint32_t time_floor = 0;       ///< Unix seconds that have certainly passed; 0: unknown
  std::uint32_t failed_attempts = 0;  ///< with this digest
  std::uint32_t failed_attempts_limit = 3;
  std::string_view chip = "esp32s3";
};

struct GateJudgement {
  Error error;
  /// The manifest needs a key list with a higher serial (`error` is unknown_key: the serial held,
  /// the one needed). Fetch it and judge the signatures again by it; when that was done, `error` is
  /// the refusal.
  bool key_list_needed = false;
  [[nodiscard]] bool ok() const { return error.fault == Fault::none; }
};

/// Steps 6 to 8, in their order; the first objection wins. The signatures were judged before.
/// `force` of the notice skips only the order of versions and the count of attempts.
/// Errors  bad_notice, unknown_key (key_list_needed), manifest_mismatch, wrong_product, wrong_hardware,
///         wrong_chip, wrong_channel, too_large, security_counter, manifest_expired, step_required,
///         not_newer, attempts_exhausted. What `found` and `expected` hold:
///         device/status/sentence.cpp.
GateJudgement judge_manifest(const contract::ManifestReading& reading,
                             const contract::Manifest& manifest,
                             const contract::Notice& notice,
                             const ManifestSituation& situation);

/// The refusal that a verdict on signatures asks for: bad_signature, unknown_key or revoked_key.
/// For unknown_key fetch the newest key list once before (step 5).
Error error_of(const contract::SignatureVerdict& verdict);

/// The release id a manifest's URL names: its last path part without `.jws`. Empty: none.
std::string_view release_of(std::string_view manifest_url);

/// How far the `issued` of a manifest that was installed raises the time floor: a release key
/// cannot push it further than two years beyond its key list (section 9).
std::uint32_t counted_issue(std::uint32_t manifest_issued, std::uint32_t key_list_issued);

}  // namespace otaria::device
