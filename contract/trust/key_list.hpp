#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "contract/defect.hpp"
#include "contract/trust/byte_source.hpp"
#include "contract/trust/primitives.hpp"
#include "contract/trust/signed_file.hpp"

/// Key lists: which keys are trusted for what, which are revoked, and the floors and TLS pins under
/// the roots' signature.
/// Source  reference trust, section 6.
namespace otaria::contract {

inline constexpr std::uint32_t key_list_format = 1;
inline constexpr std::uint32_t max_key_list_keys = 12;
inline constexpr std::uint32_t max_key_list_revoked = 16;
inline constexpr std::uint32_t max_serial_step = 1000;
inline constexpr std::size_t key_roles = key_role_names.size();

/// What stands once in a list.
struct KeyListHead {
  std::uint32_t serial = 0;
  std::uint32_t epoch = 0;
  std::uint32_t issued = 0;   ///< Unix seconds
  std::uint32_t expires = 0;  ///< Unix seconds, > issued
  /// By KeyRole. Root and release are at least 1; order 0: none is asked for.
  std::array<std::uint32_t, key_roles> threshold{};
  std::array<std::uint32_t, key_roles> keys{};  ///< how many of each role

  [[nodiscard]] std::uint32_t threshold_of(KeyRole role) const {
    return threshold[static_cast<std::size_t>(role)];
  }
};

/// One of a list's keys. `public_key` points into the reader's buffer: valid during the call. Empty
/// when longer than that buffer: of an algorithm that is not built in.
struct ListedKey {
  KeyId id;
  Algorithm algorithm = Algorithm::es256;
  KeyRole role = KeyRole::root;
  std::span<const std::uint8_t> public_key;
};

/// Is told what a list holds, in the order it stands there.
class KeyListVisitor {
 public:
  virtual void on_key(const ListedKey& key) { (void)key; }
  virtual void on_revoked(std::string_view key_id) { (void)key_id; }
  virtual void on_floor(std::string_view product, std::uint32_t security_counter) {
    (void)product;
    (void)security_counter;
  }
  /// One pin of a host: SHA-256 of its SubjectPublicKeyInfo.
  virtual void on_pin(std::string_view host, const Digest& pin) {
    (void)host;
    (void)pin;
  }

 protected:
  ~KeyListVisitor() = default;
};

/// Reads and checks a list's decoded payload: format, required members, kids that recompute, one
/// role per key, no key or kid twice, thresholds that the keys can reach.
/// Errors   a Defect; bad_value also for a list that contradicts itself. What the visitor was told
///          before a defect must not be believed.
/// Memory   about 1.5 KiB of stack.
Defect read_key_list(ByteSource& payload,
                     Hasher& hasher,
                     KeyListHead& head,
                     KeyListVisitor& visitor);

/// How a key stands in a list.
enum class KeyStanding : std::uint8_t { unknown, revoked, listed };

/// A list whose signatures were verified (or that was provisioned), read where it lies.
///
/// Memory  a head and one key at a time; the file stays in its medium.
/// Errors  a medium that fails makes every key unknown.
class KeyRing {
 public:
  /// `file` is the whole signed file; it, the hasher and this object's users share a thread.
  KeyRing(FileSource& file, Hasher& hasher) : file_{&file}, hasher_{&hasher} {}

  /// Finds payload and head; syntax is checked, signatures are not.
  /// False: no list; `defect()` and `signed_defect()` say why.
  bool open();
  [[nodiscard]] const KeyListHead& head() const { return head_; }
  [[nodiscard]] Defect defect() const { return defect_; }
  [[nodiscard]] SignedDefect signed_defect() const { return signed_defect_; }

  /// `public_key` receives the key's bytes; `key.public_key` then points there.
  KeyStanding find(std::string_view key_id, std::span<std::uint8_t> public_key, ListedKey& key);
  /// Lowest security counter the list admits for the product; 0 when it names none.
  std::uint32_t floor_of(std::string_view product);
  /// Walks the whole list.
  Defect walk(KeyListVisitor& visitor);
  [[nodiscard]] const PayloadPlace& payload() const { return payload_; }
  /// SHA-256 of the decoded payload: what a list is identified by (signatures are malleable).
  Digest payload_digest();

 private:
  FileSource* file_;
  Hasher* hasher_;
  PayloadPlace payload_;
  KeyListHead head_;
  Defect defect_ = Defect::none;
  SignedDefect signed_defect_ = SignedDefect::none;
};

}  // namespace otaria::contract
