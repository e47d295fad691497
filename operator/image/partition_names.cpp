#include "operator/image/partition_names.hpp"

#include <cstdio>

#include "device/slot/partition_table.hpp"

namespace otaria::image {
namespace {

namespace type = device::partition_type;

struct Name {
  std::uint8_t type;
  std::uint8_t value;
  std::string_view name;
};

constexpr Name type_names[] = {{0, type::app, "app"},
                               {0, type::data, "data"},
                               {0, type::bootloader, "bootloader"},
                               {0, type::partition_table, "partition_table"}};

constexpr Name subtype_names[] = {
    // clang-format off
    {type::app, 0x00, "factory"}, {type::app, 0x20, "test"}, {type::app, 0x30, "tee_0"}, {type::app, 0x31, "tee_1"},
    {type::app, 0x10, "ota_0"},  {type::app, 0x11, "ota_1"},  {type::app, 0x12, "ota_2"},  {type::app, 0x13, "ota_3"},
    {type::app, 0x14, "ota_4"},  {type::app, 0x15, "ota_5"},  {type::app, 0x16, "ota_6"},  {type::app, 0x17, "ota_7"},
    {type::app, 0x18, "ota_8"},  {type::app, 0x19, "ota_9"},  {type::app, 0x1A, "ota_10"}, {type::app, 0x1B, "ota_11"},
    {type::app, 0x1C, "ota_12"}, {type::app, 0x1D, "ota_13"}, {type::app, 0x1E, "ota_14"}, {type::app, 0x1F, "ota_15"},
    {type::data, 0x00, "ota"},       {type::data, 0x01, "phy"},      {type::data, 0x02, "nvs"},
    {type::data, 0x03, "coredump"},  {type::data, 0x04, "nvs_keys"}, {type::data, 0x05, "efuse"},
    {type::data, 0x06, "undefined"}, {type::data, 0x80, "esphttpd"}, {type::data, 0x81, "fat"},
    {type::data, 0x82, "spiffs"},    {type::data, 0x83, "littlefs"}, {type::data, 0x90, "tee_ota"},
    {type::bootloader, 0, "primary"}, {type::bootloader, 1, "ota"}, {type::bootloader, 2, "recovery"},
    {type::partition_table, 0, "primary"}, {type::partition_table, 1, "ota"},
    // clang-format on
};

std::string number(std::uint8_t value) {
  char buffer[8];
  (void)std::snprintf(buffer, sizeof buffer, "0x%02x", value);
  return buffer;
}

}  // namespace

std::optional<std::uint8_t> type_from(std::string_view name) {
  for (const Name& entry : type_names) {
    if (entry.name == name) return entry.value;
  }
  return std::nullopt;
}

std::optional<std::uint8_t> subtype_from(std::uint8_t type, std::string_view name) {
  for (const Name& entry : subtype_names) {
    if (entry.type == type && entry.name == name) return entry.value;
  }
  return std::nullopt;
}

std::string type_text(std::uint8_t type) {
  for (const Name& entry : type_names) {
    if (entry.value == type) return std::string{entry.name};
  }
  return number(type);
}

std::string subtype_text(std::uint8_t type, std::uint8_t subtype) {
  for (const Name& entry : subtype_names) {
    if (entry.type == type && entry.value == subtype) return std::string{entry.name};
  }
  return number(subtype);
}

}  // namespace otaria::image
