#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "contract/digest.hpp"
#include "simulator/chip/boot.hpp"
#include "simulator/chip/identity_store.hpp"
#include "simulator/chip/virtual_flash.hpp"

namespace otaria::simulator {

/// What lies in one app slot.
struct SlotInspection {
  std::uint32_t slot = 0;
  device::Region region{};
  device::ImageVerdict verdict{};
  std::uint32_t image_bytes =
      0;  ///< whole file: a signature sector included; 0 unless the image is whole
  contract::Digest digest{};  ///< SHA-256 of that file
  std::string descriptor_version{};
  std::string project{};
  std::string
      version{};  ///< what the image counts as; empty: nobody knows (the agent then says 0.0.0)
  bool confirmed = false;  ///< as the journal knows it
};

SlotInspection inspect_slot(VirtualFlash& flash, const device::Layout& layout, std::uint32_t slot);

/// What the image of `slot` counts as: the version the journal holds for its digest, else the
/// provisioned one, else the descriptor's when that is a semver, else 0.0.0. Changes nothing in
/// flash (the journal is read from a copy: opening it may mend it).
std::string version_of_slot(VirtualFlash& flash, const device::Layout& layout, std::uint32_t slot);

/// Everything about a device that is switched off, `next` being what its next start would do.
struct DeviceInspection {
  std::optional<Provisioned> provisioned;
  BootReport next;
  std::vector<SlotInspection> slots;
  bool confirmed = false;  ///< of the image that would start: confirmed by record and journal
  std::uint32_t keys = 0;  ///< serial of the key list the next start judges by; 0: none
  std::uint32_t security_counter = 0;  ///< the lowest it would install
};

/// Works on a copy: the flash is only read.
DeviceInspection inspect_device(VirtualFlash& flash);

/// For people, and as one JSON object.
std::string to_text(const DeviceInspection& inspection);
std::string to_json(const DeviceInspection& inspection);

}  // namespace otaria::simulator
