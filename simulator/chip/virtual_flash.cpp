#include "simulator/chip/virtual_flash.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <thread>

#include "simulator/chip/flash_cells.hpp"
#include "simulator/chip/tearing.hpp"

namespace otaria::simulator {

using device::flash_failed;
using device::Status;

FlashTiming FlashTiming::typical(double factor) {
  const auto scaled = [factor](double microseconds) {
    return std::chrono::microseconds{static_cast<std::int64_t>(microseconds * factor)};
  };
  return {.page_program = scaled(400), .sector_erase = scaled(45'000)};
}

VirtualFlash VirtualFlash::in_memory(std::uint32_t size) {
  return VirtualFlash{cells_in_memory(size)};
}
VirtualFlash VirtualFlash::open_file(const std::filesystem::path& file) {
  return VirtualFlash{cells_of_existing_file(file)};
}
VirtualFlash VirtualFlash::create_file(const std::filesystem::path& file, std::uint32_t size) {
  return VirtualFlash{cells_of_new_file(file, size)};
}
std::filesystem::path VirtualFlash::wear_file_of(const std::filesystem::path& file) {
  return file.string() + ".wear";
}

std::uint32_t VirtualFlash::size() const {
  return static_cast<std::uint32_t>(cells_->bytes.size());
}

Status VirtualFlash::check(std::uint32_t address, std::size_t length) const {
  if (!powered_) return flash_failed(no_power, address);
  if (address > size() || length > size() - address) return flash_failed(bad_address, address);
  return {};
}

void VirtualFlash::load(std::uint32_t address, std::span<std::uint8_t> into) const {
  const std::uint8_t flip = cells_->blank ^ 0xFF;
  std::ranges::transform(
      cells_->bytes.subspan(address, into.size()), into.begin(), [flip](std::uint8_t cell) {
        return static_cast<std::uint8_t>(cell ^ flip);
      });
}

void VirtualFlash::store(std::uint32_t address, std::span<const std::uint8_t> bytes) {
  const std::uint8_t flip = cells_->blank ^ 0xFF;
  std::uint8_t* cell = cells_->bytes.data() + address;
  for (std::uint8_t byte : bytes) {
    const auto value = static_cast<std::uint8_t>(byte ^ flip);
    if (*cell != value) *cell = value;  // an untouched page of memory stays unallocated
    ++cell;
  }
}

Status VirtualFlash::read(std::uint32_t address, std::span<std::uint8_t> into) {
  if (Status status = check(address, into.size()); !status) return status;
  load(address, into);
  return {};
}

Status VirtualFlash::write(std::uint32_t address, std::span<const std::uint8_t> bytes) {
  if (Status status = check(address, bytes.size()); !status) return status;
  while (!bytes.empty()) {
    const std::size_t in_page =
        std::min<std::size_t>(bytes.size(), page_bytes - address % page_bytes);
    if (Status status = program_page(address, bytes.first(in_page)); !status) return status;
    address += static_cast<std::uint32_t>(in_page);
    bytes = bytes.subspan(in_page);
  }
  return {};
}

Status VirtualFlash::program_page(std::uint32_t address, std::span<const std::uint8_t> bytes) {
  std::array<std::uint8_t, page_bytes> page{};
  const auto cells = std::span{page}.first(bytes.size());
  load(address, cells);
  std::uint64_t forbidden = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    forbidden +=
        static_cast<std::uint64_t>(std::popcount(static_cast<std::uint8_t>(bytes[i] & ~cells[i])));
  }
  if (forbidden != 0) report_forbidden_bits(address, forbidden);
  ++counters_.page_programs;
  if (!operation_completes()) {
    tear_program(cells, bytes, seed_ ^ counters_.operations);
    store(address, cells);
    lose_power();
    return flash_failed(no_power, address);
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) cells[i] &= bytes[i];
  store(address, cells);
  take_time(timing_.page_program);
  return {};
}

Status VirtualFlash::erase_sector(std::uint32_t address) {
  if (Status status = check(address, sector_bytes); !status) return status;
  if (address % sector_bytes != 0) return flash_failed(bad_address, address);
  ++counters_.sector_erases;
  ++cells_->erases[address / sector_bytes];
  std::array<std::uint8_t, sector_bytes> sector;
  if (!operation_completes()) {
    load(address, sector);
    tear_erase(sector, seed_ ^ counters_.operations);
    store(address, sector);
    lose_power();
    return flash_failed(no_power, address);
  }
  sector.fill(0xFF);
  store(address, sector);
  take_time(timing_.sector_erase);
  return {};
}

bool VirtualFlash::operation_completes() {
  ++counters_.operations;
  return !cut_is_set_ || --operations_left_ > 0;
}

void VirtualFlash::report_forbidden_bits(std::uint32_t address, std::uint64_t bits) {
  counters_.forbidden_bits += bits;
  if (!tell_misuse_) return;
  std::array<char, 16> hex{};
  std::snprintf(hex.data(), hex.size(), "0x%06x", address);
  tell_misuse_("a write at " + std::string{hex.data()} + " wanted to set " + std::to_string(bits) +
               " bits from 0 to 1 without an erase; they stay 0");
}

void VirtualFlash::cut_power_in(std::uint64_t operations) {
  if (operations == 0) {
    lose_power();
    return;
  }
  cut_is_set_ = true;
  operations_left_ = operations;
}

void VirtualFlash::lose_power() {
  if (powered_) ++counters_.power_cuts;
  powered_ = false;
  cut_is_set_ = false;
}

void VirtualFlash::power_on() {
  powered_ = true;
  cut_is_set_ = false;
}

void VirtualFlash::take_time(std::chrono::microseconds time) const {
  if (time.count() == 0) return;
  if (sleep_) {
    sleep_(time);
  } else {
    std::this_thread::sleep_for(time);
  }
}

}  // namespace otaria::simulator
