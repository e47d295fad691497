#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Names of partition types and subtypes.
/// Source  ESP-IDF v5.5.5 gen_esp32part.py, TYPES and SUBTYPES.
namespace otaria::image {

std::optional<std::uint8_t> type_from(std::string_view name);
std::optional<std::uint8_t> subtype_from(std::uint8_t type, std::string_view name);
/// The name, else the number as 0x..
std::string type_text(std::uint8_t type);
std::string subtype_text(std::uint8_t type, std::uint8_t subtype);

}  // namespace otaria::image
