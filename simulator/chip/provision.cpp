#include "simulator/chip/provision.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <random>

#include "contract/semver.hpp"
#include "contract/trust/judgement.hpp"
#include "device/slot/layout.hpp"
#include "device/slot/partition_table.hpp"
#include "device/verify/image_checker.hpp"
#include "device/verify/psa_primitives.hpp"
#include "simulator/chip/stock_layouts.hpp"

namespace otaria::simulator {
namespace {

bool is_hex(char c) {
  return std::isxdigit(static_cast<unsigned char>(c)) != 0;
}
std::string in_case(std::string text, int (*change)(int)) {
  for (char& c : text) c = static_cast<char>(change(static_cast<unsigned char>(c)));
  return text;
}

/// `A1B2` of `sensor_A1B2`: the hex digits behind the last underscore, if nothing else stands
/// there.
std::string hex_ending(const std::string& id) {
  const std::string ending = id.substr(id.rfind('_') + 1);  // npos + 1 = 0: the whole id
  const bool usable =
      ending.size() <= contract::mac_text_bytes && std::ranges::all_of(ending, is_hex);
  return usable ? in_case(ending, std::tolower) : "";
}

std::string random_mac(const std::string& ending, std::uint64_t seed) {
  std::mt19937_64 random{seed};
  std::string mac = fmt::format("02{:010x}", random() & 0xFF'FFFF'FFFFu);
  return mac.replace(mac.size() - ending.size(), ending.size(), ending);
}

template <std::size_t Capacity>
void set(contract::Text<Capacity>& into, const std::string& value, std::string_view member) {
  const bool printable = std::ranges::all_of(
      value, [](char c) { return c > ' ' && c < 0x7F && c != '"' && c != '\\'; });
  if (value.empty() || !printable || !into.assign(value)) {
    throw ProvisioningError{
        fmt::format("--{}: 1 to {} printable characters without blanks, quotes and backslashes",
                    member,
                    Capacity)};
  }
}

void write_or_throw(VirtualFlash& flash,
                    std::uint32_t address,
                    std::span<const std::uint8_t> bytes) {
  if (!flash.write(address, bytes)) {
    throw ProvisioningError{fmt::format("the flash cannot be written at 0x{:06x}", address)};
  }
}

void write_table(VirtualFlash& flash) {
  const auto stock = stock_layout(flash.size());
  if (!stock) throw ProvisioningError{"there is no partition layout for a flash of this size"};
  std::array<std::uint8_t, device::table_bytes> table{};
  if (!device::write_partition_table(*stock, table)) {
    throw ProvisioningError{"the partition table cannot be written"};
  }
  write_or_throw(flash, device::default_table_offset, table);
}

void check_factory_image(std::span<const std::uint8_t> image, const device::Region& slot) {
  device::ImageChecker checker{{.require_chip = device::chip::esp32s3, .max_bytes = slot.bytes}};
  checker.update(image);
  const device::ImageVerdict verdict = checker.finish();
  if (verdict) return;
  throw ProvisioningError{
      fmt::format("the factory image is no usable ESP32-S3 application image: {} at offset {} "
                  "(found {}, expected or allowed {})",
                  device::name_of(verdict.defect),
                  verdict.offset,
                  verdict.found,
                  verdict.expected)};
}

std::string why_refused(const contract::KeyListVerdict& verdict) {
  switch (verdict.refusal) {
    case contract::KeyListRefusal::malformed:
      return fmt::format("it is no key list ({})",
                         verdict.signed_defect != contract::SignedDefect::none
                             ? contract::name_of(verdict.signed_defect)
                             : contract::name_of(verdict.defect));
    case contract::KeyListRefusal::new_threshold:
      return fmt::format(
          "{} of its roots have signed it, {} are needed", verdict.valid, verdict.needed);
    default:
      return fmt::format("a signature does not verify ({})", contract::name_of(verdict.refusal));
  }
}

// A device that starts with a list it must refuse could never be updated.
void check_key_list(const std::string& text) {
  contract::MemoryFile file{text};
  device::PsaHasher hasher;
  device::PsaVerifier verifier;
  const auto verdict = contract::judge_key_list(file, nullptr, 0, hasher, verifier);
  if (verdict.ok()) return;
  throw ProvisioningError{"--keylist: " + why_refused(verdict) +
                          "; make and sign one with otaria keylist"};
}

}  // namespace

device::Identity make_identity(const IdentityWish& wish,
                               std::uint32_t flash_bytes,
                               std::uint64_t seed) {
  device::Identity identity;
  if (!wish.id.empty() && !contract::is_device_id(wish.id)) {
    throw ProvisioningError{"--id: 1 to 32 of the characters A-Z a-z 0-9 _ -"};
  }
  const std::string mac =
      wish.mac.empty() ? random_mac(hex_ending(wish.id), seed) : in_case(wish.mac, std::tolower);
  if (!contract::is_mac(mac)) throw ProvisioningError{"--mac: 12 hex digits without separators"};
  identity.mac.assign(mac);
  identity.id.assign(wish.id.empty() ? "sensor_" + in_case(mac.substr(8), std::toupper) : wish.id);
  set(identity.product, wish.product.empty() ? "sensor" : wish.product, "product");
  set(identity.hardware,
      wish.hardware.empty() ? fmt::format("esp32s3-{}mb", flash_bytes / VirtualFlash::megabyte)
                            : wish.hardware,
      "hardware");
  set(identity.channel, wish.channel.empty() ? "stable" : wish.channel, "channel");
  if (!wish.app_version.empty()) {
    set(identity.provisioned_version, wish.app_version, "app-version");
    if (!contract::parse_semver(wish.app_version)) {
      throw ProvisioningError{"--app-version: a semantic version such as 1.3.0"};
    }
  }
  identity.development = wish.development;
  identity.plain_http = wish.plain_http;
  return identity;
}

void provision(VirtualFlash& flash,
               std::span<const std::uint8_t> factory_image,
               const Provisioned& provisioned) {
  if (!provisioned.key_list.empty()) check_key_list(provisioned.key_list);
  if (provisioned.key_list.empty() && !provisioned.identity.development) {
    throw ProvisioningError{"a production device needs a key list: add --keylist FILE"};
  }
  write_table(flash);
  const device::LayoutReading reading = device::read_layout(flash);
  if (!reading) throw ProvisioningError{"the partition table just written cannot be read back"};
  const device::Region slot = reading.layout.slot[0];
  check_factory_image(factory_image, slot);
  write_or_throw(flash, slot.base, factory_image);
  if (!store(flash, reading.layout.nvs, provisioned)) {
    throw ProvisioningError{
        "--ca, --keylist, --claim, --client-certificate and --client-key: together they do not fit "
        "the nvs partition (20 KB)"};
  }
}

}  // namespace otaria::simulator
