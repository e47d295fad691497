#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace otaria::contract {

/// Why a message is not one of the contract's. Both codecs speak these words; the device puts them
/// into the detail of `bad_notice`, the server into its log.
enum class Defect : std::uint8_t {
  none,
  too_long,  ///< the message is, or the member named holds, more than the contract allows
  not_json,  ///< not a JSON text by RFC 8259: cut short, raw control character, trailing bytes, …
  not_an_object,     ///< JSON, but not an object
  too_deep,          ///< more than max_json_depth containers inside each other
  too_many_values,   ///< more keys and values than a device holds
  duplicate_member,  ///< a known member stands there twice
  missing_member,    ///< a required member does not stand there
  wrong_type,        ///< e.g. "true" in place of true
  bad_utf8,          ///< bytes, or \u escapes, that are no Unicode text
  bad_value,         ///< right type, but not a value the member may have
  out_of_range,      ///< a number that is not a plain decimal integer within the member's range
};

inline constexpr std::array<std::string_view, 12> defect_names{"none",
                                                               "too_long",
                                                               "not_json",
                                                               "not_an_object",
                                                               "too_deep",
                                                               "too_many_values",
                                                               "duplicate_member",
                                                               "missing_member",
                                                               "wrong_type",
                                                               "bad_utf8",
                                                               "bad_value",
                                                               "out_of_range"};
static_assert(defect_names[static_cast<std::size_t>(Defect::out_of_range)] == "out_of_range");

constexpr std::string_view name_of(Defect defect) {
  return defect_names[static_cast<std::size_t>(defect)];
}

}  // namespace otaria::contract
