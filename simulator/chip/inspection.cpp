#include "simulator/chip/inspection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "contract/semver.hpp"
#include "contract/trust/base64url.hpp"
#include "device/identity/proof.hpp"
#include "device/identity/psa_device_key.hpp"
#include "device/journal/ledger.hpp"
#include "device/keys/key_store.hpp"
#include "device/verify/image_in_flash.hpp"
#include "device/verify/psa_primitives.hpp"
#include "device/verify/sha256.hpp"

namespace otaria::simulator {
namespace {

using device::Region;

void copy_region(VirtualFlash& from, VirtualFlash& to, const Region& region) {
  std::array<std::uint8_t, VirtualFlash::sector_bytes> sector{};
  for (std::uint32_t at = 0; at < region.bytes; at += VirtualFlash::sector_bytes) {
    if (!from.read(region.base + at, sector)) return;
    const bool blank = std::ranges::all_of(sector, [](std::uint8_t byte) { return byte == 0xFF; });
    if (!blank && !to.write(region.base + at, sector)) return;
  }
}

/// A ledger over a copy of the journal, so that opening it changes nothing in the device.
class LedgerCopy {
 public:
  LedgerCopy(VirtualFlash& flash, const Region& region)
      : copy_{VirtualFlash::in_memory(flash.size())},
        journal_{copy_, region.base, region.bytes, work_} {
    copy_region(flash, copy_, region);
    readable_ = static_cast<bool>(ledger_.open(0));
  }
  [[nodiscard]] const device::Ledger* get() const { return readable_ ? &ledger_ : nullptr; }

 private:
  VirtualFlash copy_;
  std::array<std::uint8_t, device::Journal::work_bytes> work_{};
  device::Journal journal_;
  device::Ledger ledger_{journal_};
  bool readable_ = false;
};

/// With a Secure Boot v2 signature sector behind the image the published file includes it.
std::uint32_t file_bytes(VirtualFlash& flash, const Region& slot, std::uint32_t image_bytes) {
  const std::uint32_t sector = (image_bytes + VirtualFlash::sector_bytes - 1) /
                               VirtualFlash::sector_bytes * VirtualFlash::sector_bytes;
  if (sector + device::signature_sector_bytes > slot.bytes) return image_bytes;
  std::array<std::uint8_t, 1> first{};
  const bool is_signed =
      flash.read(slot.base + sector, first) && first[0] == device::signature_sector_magic;
  return is_signed ? sector + device::signature_sector_bytes : image_bytes;
}

contract::Digest digest_in_flash(VirtualFlash& flash, std::uint32_t base, std::uint32_t bytes) {
  std::vector<std::uint8_t> image(bytes);
  if (!flash.read(base, image)) return {};
  return device::sha256_of(image);
}

std::string version_by_journal(const device::Ledger* ledger, const contract::Digest& digest) {
  if (ledger == nullptr) return "";
  for (std::uint32_t i = 0; i < device::Ledger::slots; ++i) {
    const device::SlotContent& content = ledger->slot(i);
    if (content.known && content.digest == digest) return std::string{content.version.view()};
  }
  const auto& current = ledger->current();
  const bool installed_by_it = current && current->notice.digest == digest;
  return installed_by_it ? std::string{current->notice.version.view()} : "";
}

std::string version_of(const device::Ledger* ledger,
                       const std::optional<Provisioned>& provisioned,
                       const SlotInspection& slot) {
  if (slot.image_bytes == 0) return "";
  if (std::string known = version_by_journal(ledger, slot.digest); !known.empty()) return known;
  if (provisioned && !provisioned->identity.provisioned_version.empty()) {
    return std::string{provisioned->identity.provisioned_version.view()};
  }
  return contract::parse_semver(slot.descriptor_version) ? slot.descriptor_version : "0.0.0";
}

bool journal_confirms(const device::Ledger* ledger, const SlotInspection& slot) {
  if (ledger == nullptr || slot.slot >= device::Ledger::slots) return false;
  const device::SlotContent& content = ledger->slot(slot.slot);
  return content.known && content.digest == slot.digest && content.confirmed;
}

SlotInspection look_at(VirtualFlash& flash, const device::Layout& layout, std::uint32_t index) {
  SlotInspection slot{.slot = index, .region = layout.slot[index]};
  device::ImageChecker checker{
      {.require_chip = device::chip::esp32s3, .max_bytes = slot.region.bytes}};
  const bool whole{
      device::check_image_in_flash(flash, slot.region.base, slot.region.bytes, checker)};
  slot.verdict = checker.verdict();
  if (!whole) return slot;
  std::array<std::uint8_t, device::descriptor_bytes> bytes{};
  if (!flash.read(slot.region.base + device::descriptor_offset, bytes)) return slot;
  const device::AppDescriptor descriptor = device::read_app_descriptor(bytes);
  slot.descriptor_version = descriptor.version.view();
  slot.project = descriptor.project_name.view();
  slot.image_bytes = file_bytes(flash, slot.region, checker.image_bytes());
  slot.digest = digest_in_flash(flash, slot.region.base, slot.image_bytes);
  return slot;
}

SlotInspection inspect(VirtualFlash& flash,
                       const device::Layout& layout,
                       const device::Ledger* ledger,
                       std::uint32_t index) {
  SlotInspection slot = look_at(flash, layout, index);
  slot.version = version_of(ledger, load_provisioned(flash, layout.nvs), slot);
  slot.confirmed = journal_confirms(ledger, slot);
  return slot;
}

std::string hex(const contract::Digest& digest) {
  const auto text = contract::hex_of(digest);
  return {text.data(), text.size()};
}

std::string name_of_state(device::BootState state) {
  switch (state) {
    case device::BootState::fresh:
      return "new";
    case device::BootState::pending:
      return "pending_verify";
    case device::BootState::valid:
      return "valid";
    case device::BootState::invalid:
      return "invalid";
    case device::BootState::aborted:
      return "aborted";
    case device::BootState::undefined:
      return "undefined";
  }
  return fmt::format("0x{:08x}", static_cast<std::uint32_t>(state));
}

std::string describe_record(const device::BootRecord& record, std::uint32_t slot_count) {
  if (record.seq == device::BootRecord::empty_seq) return "empty";
  return fmt::format("seq {} -> ota_{}, {}{}",
                     record.seq,
                     device::slot_of(record.seq, slot_count),
                     name_of_state(record.state),
                     device::is_unwritten(record) ? ", wrong CRC" : "");
}

// On a copy: opening the journal may mend it, and the first start takes the provisioned list.
void inspect_trust(VirtualFlash& copy, const device::Layout& layout, DeviceInspection& inspection) {
  std::array<std::uint8_t, device::Journal::work_bytes> work{};
  device::Journal journal{copy, layout.journal.base, layout.journal.bytes, work};
  device::Ledger ledger{journal};
  if (!inspection.provisioned || !ledger.open(0)) return;
  device::PsaHasher hasher;
  device::PsaVerifier verifier;
  device::KeyStore keys{copy, ledger, hasher, verifier};
  keys.open(layout.keys, inspection.provisioned->identity.product.view());
  if (!inspection.provisioned->key_list.empty()) {
    contract::MemoryFile provisioned{inspection.provisioned->key_list};
    contract::KeyListVerdict refused;
    if (!keys.take_provisioned(provisioned, refused)) return;
  }
  inspection.keys = keys.serial();
  inspection.security_counter = ledger.security_floor();
}

std::string describe_trust(const DeviceInspection& inspection) {
  const std::string list =
      inspection.keys == 0 ? "no key list" : fmt::format("key list {}", inspection.keys);
  return fmt::format("{}, security counter at least {}", list, inspection.security_counter);
}

std::string describe_slot(const SlotInspection& slot) {
  if (slot.image_bytes == 0)
    return fmt::format("no whole image ({})", device::name_of(slot.verdict.defect));
  return fmt::format("version {}{}, {} bytes, SHA-256 {}, descriptor {} {}",
                     slot.version,
                     slot.confirmed ? " (confirmed)" : "",
                     slot.image_bytes,
                     hex(slot.digest),
                     slot.project,
                     slot.descriptor_version);
}

using Json = nlohmann::ordered_json;
Json text_json(std::string_view text) {
  return std::string{text};
}

Json record_json(const device::BootRecord& record, std::uint32_t slot_count) {
  if (record.seq == device::BootRecord::empty_seq) return nullptr;
  return {{"seq", record.seq},
          {"slot", fmt::format("ota_{}", device::slot_of(record.seq, slot_count))},
          {"state", name_of_state(record.state)},
          {"crc_ok", !device::is_unwritten(record)}};
}

Json slot_json(const SlotInspection& slot) {
  Json json{{"slot", fmt::format("ota_{}", slot.slot)},
            {"offset", slot.region.base},
            {"size", slot.region.bytes},
            {"valid", slot.image_bytes != 0}};
  if (slot.image_bytes == 0) {
    json["defect"] = device::name_of(slot.verdict.defect);
    return json;
  }
  json["version"] = slot.version;
  json["confirmed"] = slot.confirmed;
  json["image"] = hex(slot.digest);
  json["image_bytes"] = slot.image_bytes;
  json["descriptor_version"] = slot.descriptor_version;
  json["project"] = slot.project;
  return json;
}

const SlotInspection* starting_slot(const DeviceInspection& inspection) {
  if (inspection.next.outcome != BootOutcome::started ||
      inspection.next.slot >= inspection.slots.size()) {
    return nullptr;
  }
  return &inspection.slots[inspection.next.slot];
}

/// The half of the device's key that its server must know.
struct PublicHalf {
  std::string base64url;  ///< of X || Y
  std::string id;
};

std::optional<PublicHalf> public_key_of(const Provisioned& provisioned) {
  const std::string& scalar = provisioned.device_key;
  device::PsaDeviceKey key{{reinterpret_cast<const std::uint8_t*>(scalar.data()), scalar.size()}};
  device::PsaHasher hasher;
  std::array<std::uint8_t, device::DeviceKey::public_bytes> half{};
  std::array<char, 16> id{};
  if (!key.public_key(half) || !device::device_key_id(key, hasher, id)) return std::nullopt;
  std::string text(contract::base64url_characters(half.size()), '\0');
  contract::base64url_encode(half, text.data());
  return PublicHalf{text, {id.data(), id.size()}};
}

}  // namespace

SlotInspection inspect_slot(VirtualFlash& flash, const device::Layout& layout, std::uint32_t slot) {
  const LedgerCopy ledger{flash, layout.journal};
  return inspect(flash, layout, ledger.get(), slot);
}

std::string version_of_slot(VirtualFlash& flash, const device::Layout& layout, std::uint32_t slot) {
  return inspect_slot(flash, layout, slot).version;
}

DeviceInspection inspect_device(VirtualFlash& flash) {
  auto copy = VirtualFlash::in_memory(flash.size());
  copy_region(flash, copy, {0, flash.size()});
  DeviceInspection inspection;
  inspection.next = boot(copy);
  if (!inspection.next.layout) return inspection;
  const device::Layout& layout = inspection.next.layout.layout;
  inspection.provisioned = load_provisioned(copy, layout.nvs);
  const LedgerCopy ledger{copy, layout.journal};
  for (std::uint32_t i = 0; i < layout.slot_count; ++i) {
    inspection.slots.push_back(inspect(copy, layout, ledger.get(), i));
  }
  if (const SlotInspection* starting = starting_slot(inspection)) {
    // A device that has never run has no journal yet; its factory image is confirmed by the first
    // boot record.
    const bool first_start = !ledger.get() || !ledger.get()->slot(starting->slot).known;
    inspection.confirmed = !inspection.next.on_trial && (starting->confirmed || first_start);
  }
  inspect_trust(copy, layout, inspection);
  return inspection;
}

std::string to_text(const DeviceInspection& inspection) {
  std::string text;
  if (inspection.provisioned) {
    const device::Identity& identity = inspection.provisioned->identity;
    text += fmt::format("device    {} ({}), product {}, hardware {}, channel {}, {} mode\n",
                        identity.id.view(),
                        identity.mac.view(),
                        identity.product.view(),
                        identity.hardware.view(),
                        identity.channel.view(),
                        identity.development ? "development" : "production");
    text += fmt::format("trust     {}\n", describe_trust(inspection));
    if (const auto key = public_key_of(*inspection.provisioned)) {
      text += fmt::format("key       {} (id {})\n", key->base64url, key->id);
    }
  } else {
    text += "device    no identity in nvs\n";
  }
  for (const SlotInspection& slot : inspection.slots) {
    text += fmt::format("ota_{}     {}\n", slot.slot, describe_slot(slot));
  }
  if (inspection.next.layout) {
    for (int copy = 0; copy < 2; ++copy) {
      text += fmt::format(
          "otadata {} {}\n",
          copy,
          describe_record(inspection.next.records_before[static_cast<std::size_t>(copy)],
                          inspection.next.layout.layout.slot_count));
    }
  }
  return text + "next      " + describe(inspection.next) + "\n";
}

std::string to_json(const DeviceInspection& inspection) {
  Json json;
  if (inspection.provisioned) {
    const device::Identity& identity = inspection.provisioned->identity;
    json["id"] = text_json(identity.id.view());
    json["mac"] = text_json(identity.mac.view());
    json["product"] = text_json(identity.product.view());
    json["hardware"] = text_json(identity.hardware.view());
    json["channel"] = text_json(identity.channel.view());
    json["mode"] = identity.development ? "development" : "production";
    json["plain_http"] = identity.plain_http;
    json["keys"] = inspection.keys;
    json["security_counter"] = inspection.security_counter;
    json["provisioned_version"] = text_json(identity.provisioned_version.view());
    if (const auto key = public_key_of(*inspection.provisioned)) {
      json["public_key"] = key->base64url;
      json["key_id"] = key->id;
    }
    json["server"] = inspection.provisioned->server;
  }
  json["bootable"] = inspection.next.outcome == BootOutcome::started;
  if (const SlotInspection* starting = starting_slot(inspection)) {
    json["slot"] = fmt::format("ota_{}", starting->slot);
    json["version"] = starting->version;
    json["image"] = hex(starting->digest);
    json["confirmed"] = inspection.confirmed;
    json["on_trial"] = inspection.next.on_trial;
  }
  json["boot"] = describe(inspection.next);
  json["slots"] = Json::array();
  for (const SlotInspection& slot : inspection.slots) json["slots"].push_back(slot_json(slot));
  json["records"] = Json::array();
  if (inspection.next.layout) {
    for (const device::BootRecord& record : inspection.next.records_before) {
      json["records"].push_back(record_json(record, inspection.next.layout.layout.slot_count));
    }
  }
  // Versions and names come from flash and may hold any bytes.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace otaria::simulator
