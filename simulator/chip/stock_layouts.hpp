#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "device/slot/partition_table.hpp"

namespace otaria::simulator {

using StockLayout = std::array<device::Partition, 6>;

/// The project's partition table for a chip of 4, 8 or 16 MB (docs/spec/virtual-device.md); nothing
/// for other sizes.
std::optional<StockLayout> stock_layout(std::uint32_t flash_bytes);

}  // namespace otaria::simulator
