#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "contract/defect.hpp"
#include "contract/digest.hpp"
#include "contract/messages.hpp"
#include "contract/trust/byte_source.hpp"
#include "contract/ulid.hpp"

/// What a release manifest says: what may be installed, never where it lies.
/// Source  reference trust, section 5.4.
namespace otaria::contract {

inline constexpr std::uint32_t manifest_format = 1;
inline constexpr std::size_t max_manifest_hardware = 8;

struct Manifest {
  Text<ulid_characters> release;  ///< the build's own ULID, also in its URL
  Text<max_name_bytes> product;
  std::array<Text<max_name_bytes>, max_manifest_hardware> hardware{};
  std::uint32_t hardware_count = 0;  ///< 0: every hardware of the product
  Text<max_name_bytes> chip;
  Version version;
  Text<build_text_bytes> build;  ///< 16 lower-case hex digits
  std::uint32_t size = 0;        ///< bytes of the image file, > 0
  Digest digest;                 ///< SHA-256 of the image file
  std::uint32_t security_counter = 0;
  std::uint32_t issued = 0;         ///< Unix seconds
  std::uint32_t expires = 0;        ///< Unix seconds, > issued
  std::uint32_t keys = 0;           ///< serial of the oldest key list that may judge it
  Version min_version;              ///< empty: none
  Text<max_channel_bytes> channel;  ///< empty: every channel

  [[nodiscard]] bool fits_hardware(std::string_view wanted) const {
    for (std::uint32_t i = 0; i < hardware_count; ++i) {
      if (hardware[i] == wanted) return true;
    }
    return hardware_count == 0;
  }
};

/// Why a payload is not a manifest that we understand.
struct ManifestReading {
  Defect defect = Defect::none;
  /// `fmt` is greater than manifest_format, or `crit` names a member that we do not know: a newer
  /// agent would understand it.
  bool too_new = false;
  std::uint32_t format = 0;
  [[nodiscard]] bool ok() const { return defect == Defect::none && !too_new; }
};

/// Reads a decoded payload by the profile of strict_json.hpp. Unknown members are passed over
/// unless `crit` names them.
ManifestReading read_manifest(ByteSource& payload, Manifest& manifest);

/// `[A-Za-z0-9._-]{1,32}`.
bool is_product_name(std::string_view text);

}  // namespace otaria::contract
