#include "device/agent/testing/signing_desk.hpp"

#include <algorithm>

#include "contract/digest.hpp"
#include "contract/trust/signed_file.hpp"

namespace otaria::device::testing {
namespace {

constexpr std::size_t elf_digest_at = 32 + 144;  // in an image: its descriptor's app_elf_sha256

std::string hex(std::span<const std::uint8_t> bytes) {
  std::string text(bytes.size() * 2, '0');
  contract::write_hex(bytes, text.data());
  return text;
}

std::string member(const std::string& name, const std::string& text) {
  return "\"" + name + "\":\"" + text + "\",";
}
std::string member(const std::string& name, std::uint32_t number) {
  return "\"" + name + "\":" + std::to_string(number) + ",";
}

template <class Items, class Write>
std::string list(const Items& items, Write write) {
  std::string text;
  for (const auto& item : items) text += (text.empty() ? "" : ",") + write(item);
  return "[" + text + "]";
}

std::string quoted(const std::string& text) {
  return "\"" + text + "\"";
}

std::string closed(std::string members) {
  members.pop_back();  // the last comma
  return "{" + members + "}";
}

std::string key_entry(const crypto::PrivateKey& key, const std::string& role) {
  return "{" + member("alg", "ES256") + member("kid", key.public_key().key_id()) +
         member("pub", key.public_key().base64url()) + "\"roles\":[\"" + role + "\"]}";
}

}  // namespace

SigningDesk::SigningDesk() {
  for (int i = 0; i < 4; ++i)
    root.push_back(crypto::PrivateKey::generate(contract::Algorithm::es256));
  for (int i = 0; i < 3; ++i)
    release.push_back(crypto::PrivateKey::generate(contract::Algorithm::es256));
}

std::string SigningDesk::sign(std::string_view type,
                              const std::string& payload,
                              const std::vector<crypto::PrivateKey*>& keys) {
  std::string file = crypto::compact_jws(type, payload, *keys.front()) + "\n";
  for (std::size_t i = 1; i < keys.size(); ++i)
    file += crypto::detached_jws(type, payload, *keys[i]) + "\n";
  return file;
}

std::string SigningDesk::key_list(const KeyListWish& wish) {
  std::string keys;
  for (const std::size_t i : wish.roots) keys += key_entry(root[i], "root") + ",";
  for (const std::size_t i : wish.releases) keys += key_entry(release[i], "release") + ",";
  keys.pop_back();
  std::string payload = member("epoch", wish.epoch) + member("expires", wish.expires);
  if (!wish.floor.empty()) {
    std::string floors;
    for (const auto& [product, counter] : wish.floor) floors += member(product, counter);
    payload += "\"floor\":" + closed(floors) + ",";
  }
  payload += member("fmt", 1) + member("issued", wish.issued) + "\"keys\":[" + keys + "],";
  if (!wish.pins.empty()) {
    std::string pins;
    for (const auto& [host, digests] : wish.pins)
      pins += quoted(host) + ":" + list(digests, quoted) + ",";
    payload += "\"pins\":" + closed(pins) + ",";
  }
  if (!wish.revoked.empty()) {
    payload += "\"revoked\":" +
               list(wish.revoked,
                    [this](std::size_t i) { return quoted(release[i].public_key().key_id()); }) +
               ",";
  }
  payload += member("serial", wish.serial) + "\"threshold\":{" +
             member("release", wish.release_threshold) +
             "\"root\":" + std::to_string(wish.root_threshold) + "},";
  std::vector<crypto::PrivateKey*> signers;
  for (const std::size_t i : wish.signed_by) signers.push_back(&root[i]);
  return sign(contract::key_list_kind.type, closed(payload), signers);
}

std::string SigningDesk::manifest(const ManifestWish& wish,
                                  const std::vector<std::uint8_t>& image) {
  const std::string build =
      wish.build.empty() ? hex(std::span{image}.subspan(elf_digest_at, 8)) : wish.build;
  std::string payload = wish.more + member("build", build);
  if (!wish.channel.empty()) payload += member("channel", wish.channel);
  payload +=
      member("chip", wish.chip) + member("expires", wish.expires) + member("fmt", wish.format);
  if (!wish.hardware.empty()) payload += "\"hardware\":" + list(wish.hardware, quoted) + ",";
  payload += member("issued", wish.issued) + member("keys", wish.keys);
  if (!wish.min_version.empty()) payload += member("min_version", wish.min_version);
  const std::string digest =
      hex(crypto::sha256({reinterpret_cast<const char*>(image.data()), image.size()}).bytes);
  payload += member("product", wish.product) + member("release", wish.release) +
             member("security_counter", wish.security_counter) +
             member("sha256", wish.sha256.empty() ? digest : wish.sha256) +
             member("size", wish.size == 0 ? static_cast<std::uint32_t>(image.size()) : wish.size) +
             member("version", wish.version);
  std::vector<crypto::PrivateKey*> signers;
  for (const std::size_t i : wish.signed_by) signers.push_back(&release[i]);
  return sign(contract::manifest_kind.type, closed(payload), signers);
}

}  // namespace otaria::device::testing
