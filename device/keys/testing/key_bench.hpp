#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "contract/trust/testing/signed_examples.hpp"
#include "device/journal/ledger.hpp"
#include "device/keys/key_store.hpp"
#include "device/ports/fake_flash.hpp"
#include "device/verify/psa_primitives.hpp"

/// A device's flash with a journal and a key partition, for this module's tests. It allocates.
namespace otaria::device::testing {

using contract::testing::KeyListText;
using contract::testing::ManifestText;
using contract::testing::PrivateKey;
using contract::testing::signed_file;

inline constexpr Region journal_region{0, 2 * Flash::sector_bytes};
inline constexpr Region key_region{2 * Flash::sector_bytes, KeyStore::partition_bytes};
inline constexpr std::uint32_t flash_bytes = journal_region.bytes + key_region.bytes;

/// One start of the device.
struct KeyStart {
  explicit KeyStart(Flash& flash)
      : journal{flash, journal_region.base, journal_region.bytes, work},
        ledger{journal},
        opened{ledger.open(1)},
        store{flash, ledger, hasher, verifier} {
    store.open(key_region, "sensor");
  }
  std::array<std::uint8_t, Journal::work_bytes> work{};
  Journal journal;
  Ledger ledger;
  Status opened;
  PsaHasher hasher;
  PsaVerifier verifier;
  KeyStore store;
};

inline std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// As the agent fetches: erase, pieces of 100 bytes, end. False: the flash failed or it is too
/// large.
inline bool fetch(KeyStore& store, Fetched what, std::string_view file) {
  if (!store.begin(what)) return false;
  for (;;) {
    const auto ready = store.prepare();
    if (!ready) return false;
    if (ready.value()) break;
  }
  for (std::size_t at = 0; at < file.size(); at += 100) {
    if (!store.append(bytes_of(file.substr(at, 100)))) return false;
  }
  return static_cast<bool>(store.finish());
}

inline bool provision(KeyStore& store, std::string_view list) {
  contract::MemoryFile file{list};
  contract::KeyListVerdict refused;
  const auto taken = store.take_provisioned(file, refused);
  return taken && taken.value();
}

/// Three roots of which two must sign, two release keys; lists by serial.
class Operator {
 public:
  Operator() {
    text.roots = {&root_a, &root_b, &root_c};
    text.root_threshold = 2;
    text.releases = {&release_a, &release_b};
  }
  [[nodiscard]] std::string list(std::uint32_t serial) { return list(serial, {&root_a, &root_b}); }
  [[nodiscard]] std::string list(std::uint32_t serial, const std::vector<PrivateKey*>& signers) {
    text.serial = serial;
    return signed_file(contract::key_list_kind.type, text.json(), signers);
  }
  static PrivateKey key() { return PrivateKey::generate(contract::Algorithm::es256); }

  PrivateKey root_a = key(), root_b = key(), root_c = key(), root_d = key(), root_e = key();
  PrivateKey release_a = key(), release_b = key(), stranger = key();
  KeyListText text;
};

}  // namespace otaria::device::testing
