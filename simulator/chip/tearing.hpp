#pragma once

#include <cstdint>
#include <span>

namespace otaria::simulator {

/// What a power cut leaves of the operation it hits, as a pure function of (before, wanted, seed).
///
/// Program  nothing, all, a prefix of the bytes, or any subset of the bits that were to be cleared
/// (alone or in the
///          byte behind a prefix).
/// Erase    nothing, all, the leading part of the sector, all cells programmed to 0 (chips do that
/// before erasing),
///          or any subset of the bits set.
/// Not modelled: cells that read differently from one read to the next.
/// Source   reference/esp32-flash-formats.md section 7.

/// `cells` holds the old content and gets the torn one; `wanted` is what was to be programmed, as
/// long as `cells`.
void tear_program(std::span<std::uint8_t> cells,
                  std::span<const std::uint8_t> wanted,
                  std::uint64_t seed);

/// `cells` holds the sector's old content and gets the torn one.
void tear_erase(std::span<std::uint8_t> cells, std::uint64_t seed);

}  // namespace otaria::simulator
