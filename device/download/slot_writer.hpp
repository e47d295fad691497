#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "device/ports/flash.hpp"
#include "device/result/result.hpp"

namespace otaria::device {

/// Writes an image into the passive slot in blocks of 512 bytes, erasing each sector just before
/// its first block. The first 32 bytes are held back: whatever lies in the slot until write_head()
/// cannot be booted.
///
/// Units    offsets from the start of the slot, bytes.
/// Errors   flash_failed, also when a block does not read back as written.
/// Cut      at any time; the running slot is never touched. A resumed write starts at a sector: it is erased again.
/// Memory   one 512-byte transfer block inside; no heap.
/// Source   docs/spec/flash.md; reference esp32-flash-formats section 11, rules 3 and 4.
class SlotWriter {
 public:
  static constexpr std::uint32_t block_bytes = 512;
  static constexpr std::uint32_t held_bytes = 32;

  explicit SlotWriter(Flash& flash) : flash_{&flash} {}

  /// Goes on at `offset` (0, or a whole number of sectors, or where this writer stopped) up to
  /// `end`.
  void start(std::uint32_t slot_address, std::uint32_t offset, std::uint32_t end) {
    address_ = slot_address;
    written_ = offset;
    end_ = end;
    filled_ = 0;
  }
  /// Forgets what is in the block but not in flash.
  void drop_partial() { filled_ = 0; }

  /// Takes up to a block's end; returns how many bytes it took. 0: the block is ready, or the end
  /// is reached.
  std::uint32_t fill(std::span<const std::uint8_t> bytes) {
    const auto take = static_cast<std::uint32_t>(
        std::min<std::size_t>({bytes.size(), block_bytes - filled_, end_ - written_ - filled_}));
    std::ranges::copy(bytes.first(take), block_.begin() + filled_);
    filled_ += take;
    return take;
  }
  /// A whole block, or the last part of the image.
  [[nodiscard]] bool ready() const {
    return filled_ == block_bytes || (filled_ > 0 && written_ + filled_ == end_);
  }
  [[nodiscard]] std::span<const std::uint8_t> block() const {
    return std::span{block_}.first(filled_);
  }

  /// Puts the block into flash, without the held-back bytes, and reads it back: block() is then
  /// what flash holds (the held-back bytes as they came).
  Status flush() {
    if (written_ % Flash::sector_bytes == 0) {
      if (auto done = flash_->erase_sector(address_ + written_); !done) return done;
    }
    const std::uint32_t skip = written_ == 0 ? std::min(held_bytes, filled_) : 0;
    const std::uint32_t at = address_ + written_ + skip;
    const std::span<std::uint8_t> bytes = std::span{block_}.first(filled_).subspan(skip);
    if (auto done = flash_->write(at, bytes); !done) return done;
    for (std::uint32_t offset = 0; offset < bytes.size(); offset += held_bytes) {
      std::array<std::uint8_t, held_bytes> readback{};
      const auto expected =
          bytes.subspan(offset, std::min<std::size_t>(held_bytes, bytes.size() - offset));
      const std::span<std::uint8_t> read = std::span{readback}.first(expected.size());
      if (auto done = flash_->read(at + offset, read); !done) return done;
      if (!std::ranges::equal(read, expected)) return flash_failed(0, at + offset);
      std::ranges::copy(read, expected.begin());
    }
    return {};
  }
  /// After flush(): on to the next block.
  void advance() {
    written_ += filled_;
    filled_ = 0;
  }
  [[nodiscard]] std::uint32_t written() const { return written_; }
  [[nodiscard]] std::uint32_t end() const { return end_; }
  [[nodiscard]] bool complete() const { return written_ == end_; }

  /// Makes the slot bootable: the one last step, after everything was proven.
  Status write_head(const std::array<std::uint8_t, held_bytes>& head) {
    if (auto done = flash_->write(address_, head); !done) return done;
    std::array<std::uint8_t, held_bytes> readback{};
    if (auto done = flash_->read(address_, readback); !done) return done;
    return readback == head ? Status{} : flash_failed(0, address_);
  }
  /// The transfer block, for reading slots while nothing is being written.
  [[nodiscard]] std::span<std::uint8_t, block_bytes> scratch() { return block_; }

 private:
  Flash* flash_;
  std::uint32_t address_ = 0;
  std::uint32_t written_ = 0;
  std::uint32_t end_ = 0;
  std::uint32_t filled_ = 0;
  std::array<std::uint8_t, block_bytes> block_{};
};

}  // namespace otaria::device
