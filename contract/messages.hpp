#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "contract/digest.hpp"
#include "contract/text.hpp"
#include "contract/vocabulary.hpp"

/// The messages of the contract as bounded values: what the device holds and what the host's codec
/// produces too.
/// Source  docs/spec/contract.md; JSON Schema in contract/schema/.
namespace otaria::contract {

using Version = Text<max_version_bytes>;
using UpdateId = Text<max_update_id_bytes>;
using Url = Text<max_url_bytes>;

/// An offer. Required on the wire: version, url, signature (here: digest).
struct Notice {
  Version version;                    ///< semver 2.0.0, validated by the reader
  Url url;                            ///< of the image
  Digest digest;                      ///< the wire's `signature`: SHA-256 of the whole image file
  std::optional<std::uint32_t> size;  ///< bytes of the image file
  bool force = false;
  UpdateId update;  ///< empty: a three-field notice, named by its digest
  Url manifest;     ///< empty: none
  std::uint32_t spread_s = 0;
  std::optional<std::uint32_t> not_before;  ///< Unix seconds
  std::optional<std::uint32_t> deadline;    ///< Unix seconds
};

/// Where a download stands.
struct Progress {
  std::uint32_t percent = 0;  ///< floor(100 * bytes / total)
  std::uint32_t bytes = 0;    ///< verified prefix in hand
  std::uint32_t total = 0;
};

}  // namespace otaria::contract
