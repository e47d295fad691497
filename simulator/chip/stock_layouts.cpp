#include "simulator/chip/stock_layouts.hpp"

#include <string_view>

namespace otaria::simulator {
namespace {

namespace type = device::partition_type;
namespace subtype = device::partition_subtype;

struct Place {
  std::uint32_t offset;
  std::uint32_t bytes;
};
/// Where the parts lie that differ from size to size.
struct Places {
  Place ota_0, ota_1, journal, keys;
};

constexpr Places places_4_mb{
    {0x20000, 0x1F0000}, {0x210000, 0x1F0000}, {0x10000, 0x8000}, {0x18000, 0x8000}};
constexpr Places places_8_mb{
    {0x10000, 0x330000}, {0x340000, 0x330000}, {0x670000, 0x8000}, {0x678000, 0x8000}};
constexpr Places places_16_mb{
    {0x10000, 0x7B0000}, {0x7C0000, 0x7B0000}, {0xF70000, 0x8000}, {0xF78000, 0x8000}};

device::Partition partition(std::string_view label,
                            std::uint8_t kind,
                            std::uint8_t sub,
                            Place place) {
  device::Partition entry;
  entry.type = kind;
  entry.subtype = sub;
  entry.offset = place.offset;
  entry.bytes = place.bytes;
  entry.label.assign(label);
  return entry;
}

StockLayout layout_of(const Places& places) {
  return {partition("nvs", type::data, subtype::nvs, {0x9000, 0x5000}),
          partition("otadata", type::data, subtype::otadata, {0xE000, 0x2000}),
          partition("ota_0", type::app, subtype::ota_0, places.ota_0),
          partition("ota_1", type::app, subtype::ota_0 + 1, places.ota_1),
          partition("otaria", type::otaria, subtype::otaria_journal, places.journal),
          partition("otaria_keys", type::otaria, subtype::otaria_keys, places.keys)};
}

}  // namespace

std::optional<StockLayout> stock_layout(std::uint32_t flash_bytes) {
  constexpr std::uint32_t megabyte = 1024 * 1024;
  switch (flash_bytes) {
    case 4 * megabyte:
      return layout_of(places_4_mb);
    case 8 * megabyte:
      return layout_of(places_8_mb);
    case 16 * megabyte:
      return layout_of(places_16_mb);
    default:
      return std::nullopt;
  }
}

}  // namespace otaria::simulator
