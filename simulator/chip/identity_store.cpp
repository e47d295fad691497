#include "simulator/chip/identity_store.hpp"

#include <algorithm>
#include <string_view>

#include "device/journal/journal.hpp"
#include "device/verify/image_format.hpp"

namespace otaria::simulator {
namespace {

using device::read_u16;
using device::read_u32;
using device::write_u32;

/// {magic, length of members, members, CRC-32 of all before it}; a member is {tag, length u16,
/// bytes}.
constexpr std::string_view magic = "OTARIA1\n";
constexpr std::size_t header_bytes = magic.size() + 4;
constexpr std::size_t crc_bytes = 4;
constexpr std::string_view development_mode = "development";

enum Tag : std::uint8_t {
  id = 1,
  mac,
  product,
  hardware,
  channel,
  mode,
  version,
  ca,
  plain_http,
  claim,
  key_list,
  server,
  device_key,
  client_certificate,
  client_key,
};
constexpr std::string_view allowed = "allowed";

void add_u32(std::vector<std::uint8_t>& bytes, std::uint32_t value) {
  std::uint8_t raw[4];
  write_u32(raw, value);
  bytes.insert(bytes.end(), raw, raw + 4);
}

void add_member(std::vector<std::uint8_t>& bytes, Tag tag, std::string_view text) {
  bytes.push_back(tag);
  bytes.push_back(static_cast<std::uint8_t>(text.size() & 0xFF));
  bytes.push_back(static_cast<std::uint8_t>(text.size() >> 8));
  bytes.insert(bytes.end(), text.begin(), text.end());
}

bool take(Provisioned& into, std::uint8_t tag, std::string_view text) {
  device::Identity& identity = into.identity;
  switch (tag) {
    case id:
      return contract::is_device_id(text) && identity.id.assign(text);
    case mac:
      return contract::is_mac(text) && identity.mac.assign(text);
    case product:
      return identity.product.assign(text);
    case hardware:
      return identity.hardware.assign(text);
    case channel:
      return identity.channel.assign(text);
    case mode:
      identity.development = text == development_mode;
      return true;
    case version:
      return identity.provisioned_version.assign(text);
    case ca:
      into.ca_pem = text;
      return true;
    case plain_http:
      identity.plain_http = text == allowed;
      return true;
    case key_list:
      into.key_list = text;
      return true;
    case claim:
      into.claim = text;
      return true;
    case server:
      into.server = text;
      return true;
    case device_key:
      into.device_key = text;
      return true;
    case client_certificate:
      into.client_certificate = text;
      return true;
    case client_key:
      into.client_key = text;
      return true;
    default:
      return true;  // a later version's member
  }
}

}  // namespace

std::vector<std::uint8_t> encode(const Provisioned& provisioned) {
  const device::Identity& identity = provisioned.identity;
  std::vector<std::uint8_t> members;
  add_member(members, id, identity.id.view());
  add_member(members, mac, identity.mac.view());
  add_member(members, product, identity.product.view());
  add_member(members, hardware, identity.hardware.view());
  add_member(members, channel, identity.channel.view());
  add_member(members, mode, identity.development ? development_mode : "production");
  add_member(members, version, identity.provisioned_version.view());
  add_member(members, ca, std::string_view{provisioned.ca_pem}.substr(0, 0xFFFF));
  if (identity.plain_http) add_member(members, plain_http, allowed);
  if (!provisioned.claim.empty()) add_member(members, claim, provisioned.claim);
  if (!provisioned.server.empty()) add_member(members, server, provisioned.server);
  if (!provisioned.device_key.empty()) add_member(members, device_key, provisioned.device_key);
  if (!provisioned.client_certificate.empty())
    add_member(members, client_certificate, provisioned.client_certificate);
  if (!provisioned.client_key.empty()) add_member(members, client_key, provisioned.client_key);
  if (!provisioned.key_list.empty()) add_member(members, key_list, provisioned.key_list);
  std::vector<std::uint8_t> bytes{magic.begin(), magic.end()};
  add_u32(bytes, static_cast<std::uint32_t>(members.size()));
  bytes.insert(bytes.end(), members.begin(), members.end());
  add_u32(bytes, device::crc32(bytes));
  return bytes;
}

std::optional<Provisioned> decode_provisioned(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < header_bytes + crc_bytes ||
      !std::equal(magic.begin(), magic.end(), bytes.begin())) {
    return std::nullopt;
  }
  const std::uint32_t length = read_u32(bytes.data() + magic.size());
  if (length > bytes.size() - header_bytes - crc_bytes) return std::nullopt;
  const auto covered = bytes.first(header_bytes + length);
  if (read_u32(bytes.data() + covered.size()) != device::crc32(covered)) return std::nullopt;
  Provisioned provisioned;
  auto members = covered.subspan(header_bytes);
  while (!members.empty()) {
    if (members.size() < 3) return std::nullopt;
    const std::uint8_t tag = members[0];
    const std::size_t size = read_u16(members.data() + 1);
    if (size > members.size() - 3) return std::nullopt;
    const std::string_view text{reinterpret_cast<const char*>(members.data() + 3), size};
    if (!take(provisioned, tag, text)) return std::nullopt;
    members = members.subspan(3 + size);
  }
  if (provisioned.identity.id.empty() || provisioned.identity.mac.empty()) return std::nullopt;
  return provisioned;
}

bool store(device::Flash& flash, const device::Region& nvs, const Provisioned& provisioned) {
  for (const std::string* text : {&provisioned.ca_pem,
                                  &provisioned.key_list,
                                  &provisioned.claim,
                                  &provisioned.client_certificate,
                                  &provisioned.client_key}) {
    if (text->size() > 0xFFFF) return false;
  }
  const auto bytes = encode(provisioned);
  return bytes.size() <= nvs.bytes && static_cast<bool>(flash.write(nvs.base, bytes));
}

std::optional<Provisioned> load_provisioned(device::Flash& flash, const device::Region& nvs) {
  std::vector<std::uint8_t> bytes(nvs.bytes);
  if (!flash.read(nvs.base, bytes)) return std::nullopt;
  return decode_provisioned(bytes);
}

}  // namespace otaria::simulator
