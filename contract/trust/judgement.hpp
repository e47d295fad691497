#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "contract/trust/key_list.hpp"
#include "contract/trust/primitives.hpp"
#include "contract/trust/signed_file.hpp"
#include "contract/vocabulary.hpp"

/// Whether signatures suffice: the same rules on the device, on the server and in the operator's
/// tools.
namespace otaria::contract {

/// Largest number of seconds a manifest's `issued` may move the time floor beyond its key list's
/// (reference trust, section 9): 2 years.
inline constexpr std::uint32_t longest_floor_lead_s = 2U * 365U * 86400U;
/// Largest step of the security counter (section 10).
inline constexpr std::uint32_t max_counter_step = 256;

/// How the signatures of a manifest file were judged.
struct SignatureVerdict {
  /// none, bad_signature, unknown_key or revoked_key.
  Fault fault = Fault::none;
  SignedDefect defect = SignedDefect::none;  ///< with bad_signature: what is wrong with the file
  std::uint32_t valid = 0;                   ///< distinct keys that verified
  std::uint32_t needed = 0;
  KeyId key;  ///< the first one that was objected to; empty: none
  [[nodiscard]] bool ok() const { return fault == Fault::none; }
};

/// Judges a manifest file by a key list: at least `threshold.release` lines by distinct keys of the
/// role release. Lines by unknown keys are passed over; one that names a listed release key and
/// does not verify is fatal.
/// Memory  about 2.5 KiB of stack.
/// Source  reference trust, sections 5.5 and 8 (steps 4 and 5).
SignatureVerdict judge_manifest_signatures(FileSource& file,
                                           KeyRing& ring,
                                           Hasher& hasher,
                                           SignatureVerifier& verifier,
                                           PayloadPlace& payload);

/// Why a key list is not accepted.
enum class KeyListRefusal : std::uint8_t {
  none,
  malformed,      ///< not a key list: signed_defect or defect says what
  not_newer,      ///< its serial is not above the list in force
  same_serial,    ///< the list in force has this serial and another payload: signed twice
  too_far,        ///< more than max_serial_step above the list in force
  old_threshold,  ///< too few roots of the list in force have signed: the lists between are needed
  new_threshold,  ///< too few of its own roots have signed
  bad_signature,  ///< a line names a root that is known and does not verify
  expired,        ///< certainly: the time floor is past its `expires`
};

std::string_view name_of(KeyListRefusal refusal);

struct KeyListVerdict {
  KeyListRefusal refusal = KeyListRefusal::none;
  SignedDefect signed_defect = SignedDefect::none;
  Defect defect = Defect::none;
  KeyListHead head;          ///< of the candidate, when it could be read
  std::uint32_t valid = 0;   ///< distinct roots that verified, of the list that was not satisfied
  std::uint32_t needed = 0;  ///< its threshold
  [[nodiscard]] bool ok() const { return refusal == KeyListRefusal::none; }
};

/// Judges whether `candidate` may follow `current`. Without `current` (nullptr) only by itself: a
/// list that is provisioned or compiled in.
/// `time_floor`  Unix seconds that have certainly passed; 0: unknown.
/// Source  reference trust, section 6 (steps 1 to 5).
KeyListVerdict judge_key_list(FileSource& candidate,
                              KeyRing* current,
                              std::uint32_t time_floor,
                              Hasher& hasher,
                              SignatureVerifier& verifier);

}  // namespace otaria::contract
