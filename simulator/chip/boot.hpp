#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "device/bootloader/selection.hpp"
#include "device/slot/layout.hpp"
#include "device/verify/image_checker.hpp"
#include "simulator/chip/virtual_flash.hpp"

namespace otaria::simulator {

enum class BootOutcome : std::uint8_t {
  started,
  power_lost,         ///< a cut fell into one of the bootloader's own writes
  no_layout,          ///< no partition table, or one this device cannot work with
  no_bootable_image,  ///< the real chip would reset for ever
};

/// An image the bootloader looked at and did not start.
struct RefusedImage {
  std::uint32_t slot = 0;
  device::ImageVerdict verdict;
};

/// What one start did.
struct BootReport {
  BootOutcome outcome = BootOutcome::no_layout;
  std::uint32_t slot = 0;  ///< running slot; only when started
  bool on_trial =
      false;  ///< the record that decided says PENDING_VERIFY (IDF): watched by the bootloader
  bool fell_back = false;  ///< another slot runs than the record that decided names
  device::LayoutReading layout;
  device::BootRecordPair records_before{};
  std::vector<device::BootRecordWrite> writes;  ///< tried, in order; the last may be torn
  std::vector<RefusedImage> refused;
};

/// Boot ROM and second-stage bootloader: reads partition table and otadata, chooses as ESP-IDF does
/// (rollback enabled), writes its records to flash, verifies the image it starts. Differs from
/// ESP-IDF in one point: an image without an appended SHA-256 is not started. Needs
/// device::init_crypto().
BootReport boot(VirtualFlash& flash);

/// `ota_1 on trial, ...` and all that went before, in one line for people.
std::string describe(const BootReport& report);

}  // namespace otaria::simulator
