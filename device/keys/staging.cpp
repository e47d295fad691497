#include "device/keys/staging.hpp"

#include <algorithm>
#include <cassert>

namespace otaria::device {

void Staging::begin(std::uint32_t address, std::uint32_t limit) {
  abandon();
  address_ = address;
  limit_ = limit;
}

Result<bool> Staging::prepare(Flash& flash) {
  assert(active());
  if (erased_ < limit_) {
    if (auto done = flash.erase_sector(address_ + erased_); !done) return done.error();
    erased_ += Flash::sector_bytes;
  }
  return erased_ >= limit_;
}

Status Staging::append(Flash& flash, std::span<const std::uint8_t> bytes) {
  assert(active() && erased_ >= limit_);
  if (bytes.size() > limit_ - bytes_) {
    const auto reached = static_cast<std::int64_t>(bytes_ + bytes.size());
    const Error error{Fault::too_large, reached, limit_};
    abandon();
    return error;
  }
  while (!bytes.empty()) {
    const std::uint32_t filled = bytes_ % cell_bytes;
    if (filled == 0 && bytes.size() >= cell_bytes) {  // whole cells need not pass through ours
      const auto whole = static_cast<std::uint32_t>(bytes.size() / cell_bytes * cell_bytes);
      if (auto done = flash.write(address_ + bytes_, bytes.first(whole)); !done) return done;
      bytes_ += whole;
      bytes = bytes.subspan(whole);
      continue;
    }
    const auto taken =
        static_cast<std::uint32_t>(std::min<std::size_t>(cell_bytes - filled, bytes.size()));
    std::ranges::copy(bytes.first(taken), cell_.begin() + filled);
    bytes_ += taken;
    bytes = bytes.subspan(taken);
    if (bytes_ % cell_bytes != 0) continue;
    if (auto done = flash.write(address_ + bytes_ - cell_bytes, cell_); !done) return done;
  }
  return {};
}

Result<std::uint32_t> Staging::finish(Flash& flash) {
  assert(active());
  const std::uint32_t bytes = bytes_;
  const std::uint32_t filled = bytes % cell_bytes;
  if (filled != 0) {
    std::fill(cell_.begin() + filled, cell_.end(), std::uint8_t{0xFF});
    if (auto done = flash.write(address_ + bytes - filled, cell_); !done) return done.error();
  }
  abandon();
  return bytes;
}

}  // namespace otaria::device
