#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "device/ports/flash.hpp"

namespace otaria::simulator {

/// The flash file cannot be used: missing, locked by another process, of no legal size. The text
/// says which and what to do.
class FlashFileError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// How long the chip takes. Zero: as fast as the host.
struct FlashTiming {
  std::chrono::microseconds page_program{0};
  std::chrono::microseconds sector_erase{0};

  /// The typical figures of a GD25Q128E / W25Q128JV (reference/esp32-flash-formats.md section 7)
  /// times `factor`.
  static FlashTiming typical(double factor);
};

/// What happened to the flash since the object was made.
struct FlashCounters {
  std::uint64_t operations =
      0;  ///< sector erases and page programs; a write across pages counts each page
  std::uint64_t sector_erases = 0;
  std::uint64_t page_programs = 0;
  std::uint64_t forbidden_bits = 0;  ///< bits a caller wanted to set from 0 to 1; they stayed 0
  std::uint64_t power_cuts = 0;
};

/// Where the cells live. `blank` is the stored value of an erased byte: files hold FF, memory holds
/// 00 so that untouched pages cost nothing.
class FlashCells {
 public:
  virtual ~FlashCells() = default;
  std::span<std::uint8_t> bytes;
  std::span<std::uint32_t> erases;  ///< per sector, little-endian in the sidecar file
  std::uint8_t blank = 0xFF;
};

/// NOR flash with power that can fail.
///
/// Rules     an erase sets 4096 bytes to FF; a program clears bits in pages of 256 bytes and cannot
/// set any. Cut       cut_power_in(n) hits the n-th coming operation, which is torn as the seed
/// says; from then on every
///           call fails and changes nothing until power_on(). The same seed and operation tear
///           alike.
/// Survival  a file is mapped shared: what was programmed is there after kill -9.
/// Errors    flash_failed with a FlashCode as `found` and the address as `expected`.
/// Thread    one at a time.
class VirtualFlash final : public device::Flash {
 public:
  /// The driver's own codes, with the values of ESP-IDF's esp_err.h.
  enum FlashCode : std::int64_t { no_power = 0x107, bad_address = 0x102 };

  static constexpr std::uint32_t page_bytes = 256;
  static constexpr std::uint32_t megabyte = 1024 * 1024;
  static constexpr bool is_legal_size(std::uint64_t bytes) {
    const std::uint64_t megabytes = bytes / megabyte;
    return bytes % megabyte == 0 && (megabytes == 4 || megabytes == 8 || megabytes == 16);
  }

  /// Erased flash in memory. `size` need only be a multiple of a sector: tests use small ones.
  static VirtualFlash in_memory(std::uint32_t size);
  /// Opens an existing flash file of 4, 8 or 16 MB and locks it; `<file>.wear` keeps the erase
  /// counts beside it. Throws FlashFileError.
  static VirtualFlash open_file(const std::filesystem::path& file);
  /// Makes an erased flash file, replacing one that is there. Throws FlashFileError (also when it
  /// is locked).
  static VirtualFlash create_file(const std::filesystem::path& file, std::uint32_t size);
  static std::filesystem::path wear_file_of(const std::filesystem::path& file);

  VirtualFlash(VirtualFlash&&) noexcept = default;
  VirtualFlash& operator=(VirtualFlash&&) noexcept = default;

  device::Status read(std::uint32_t address, std::span<std::uint8_t> into) override;
  device::Status write(std::uint32_t address, std::span<const std::uint8_t> bytes) override;
  device::Status erase_sector(std::uint32_t address) override;
  [[nodiscard]] std::uint32_t size() const override;

  /// The n-th coming operation (1 = the next) is the last; 0 takes the power away at once.
  void cut_power_in(std::uint64_t operations);
  void cut_power_now() { cut_power_in(0); }
  [[nodiscard]] bool powered() const { return powered_; }
  /// Gives the power back and forgets a cut that was still to come.
  void power_on();
  void seed_tearing(std::uint64_t seed) { seed_ = seed; }

  void set_timing(FlashTiming timing) { timing_ = timing; }
  /// Replaces the sleeping; for tests and simulated time.
  void set_sleeper(std::function<void(std::chrono::microseconds)> sleep) {
    sleep_ = std::move(sleep);
  }
  /// Told in words when a caller breaks a rule (a bit to be set from 0 to 1).
  void on_misuse(std::function<void(std::string_view)> tell) { tell_misuse_ = std::move(tell); }

  [[nodiscard]] const FlashCounters& counters() const { return counters_; }
  /// Erases of each sector over the file's life.
  [[nodiscard]] std::span<const std::uint32_t> erases_per_sector() const { return cells_->erases; }

 private:
  explicit VirtualFlash(std::unique_ptr<FlashCells> cells) : cells_{std::move(cells)} {}

  [[nodiscard]] device::Status check(std::uint32_t address, std::size_t length) const;
  device::Status program_page(std::uint32_t address, std::span<const std::uint8_t> bytes);
  bool operation_completes();  ///< counts it; false: this is the one the cut hits
  void store(std::uint32_t address, std::span<const std::uint8_t> bytes);
  void load(std::uint32_t address, std::span<std::uint8_t> into) const;
  void report_forbidden_bits(std::uint32_t address, std::uint64_t bits);
  void lose_power();
  void take_time(std::chrono::microseconds time) const;

  std::unique_ptr<FlashCells> cells_;
  FlashCounters counters_;
  FlashTiming timing_;
  std::function<void(std::chrono::microseconds)> sleep_;
  std::function<void(std::string_view)> tell_misuse_;
  std::uint64_t seed_ = 1;
  std::uint64_t operations_left_ = 0;  ///< until the cut; meaningful while cut_is_set_
  bool cut_is_set_ = false;
  bool powered_ = true;
};

}  // namespace otaria::simulator
