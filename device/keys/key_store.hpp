#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "contract/trust/judgement.hpp"
#include "contract/trust/key_list.hpp"
#include "device/journal/ledger.hpp"
#include "device/keys/area_file.hpp"
#include "device/keys/staging.hpp"
#include "device/ports/flash.hpp"
#include "device/slot/layout.hpp"

namespace otaria::device {

/// Which list the device judges by.
enum class ListStanding : std::uint8_t {
  none,      ///< no key list: nothing can be proven genuine
  active,    ///< the one accepted last
  previous,  ///< the one before: the active one is damaged. Fetch the newest at once
};

/// What is fetched into the key store's flash.
enum class Fetched : std::uint8_t { key_list, manifest };

/// The key lists of a device, in the partition `otaria_keys`: four areas of 0x2000 bytes, whose
/// roles the journal names: active, previous (kept until something was verified with the active
/// one), and two free ones, of which a candidate list takes one and a manifest file the other.
///
/// Use      construct, open() once per start, take_provisioned() if the platform has a list. To fetch: begin(),
///          prepare() until true (then ask for the file), append() each piece, finish(). Then a key
///          list: accept(); a manifest: manifest_file() for contract::judge_manifest_signatures().
///          Whoever verified something by ring() calls note_verified().
/// Cut      power may go at any operation: the list in force is exactly the old or the new one. Areas of lists
///          that the journal names are never written. What is staged is forgotten by a restart.
/// Errors   flash_failed; too_large.
/// Memory   this object (240 bytes on a 64-bit host); no heap of its own; 7.2 KB of stack in accept(),
///          6.3 KB to judge a manifest by ring(): painted on x86-64, 3.9 KB of them are PSA's.
/// Thread   the agent's.
/// Source   reference trust, section 6; docs/spec/keys.md.
class KeyStore {
 public:
  static constexpr std::uint32_t areas = 4;
  static constexpr std::uint32_t area_bytes = 2 * Flash::sector_bytes;
  static constexpr std::uint32_t partition_bytes = areas * area_bytes;

  KeyStore(Flash& flash,
           Ledger& ledger,
           contract::Hasher& hasher,
           contract::SignatureVerifier& verifier)
      : flash_{flash}, ledger_{ledger}, hasher_{hasher}, verifier_{verifier} {}
  KeyStore(const KeyStore&) = delete;  // ring_ points into the object
  KeyStore& operator=(const KeyStore&) = delete;

  /// Checks the lists that the journal names (length, CRC-32, syntax) and decides which is in
  /// force. A region that is missing or too small: none. `product` names the floor that counts; it
  /// must outlive the store.
  void open(const Region& region, std::string_view product);

  /// Installs a list that came with the device or its firmware when its serial is above that of the
  /// list in force (or there is none) and its own roots have signed it. Erases two sectors: for the
  /// start, not for run(). True: it is in force now. What the journal knows of serial and epoch
  /// does not bind it: it came by cable, or in an image that was proven.
  /// Errors  flash_failed. A list that is not good is passed over; `refused` says why.
  Result<bool> take_provisioned(contract::FileSource& list, contract::KeyListVerdict& refused);

  [[nodiscard]] ListStanding standing() const { return standing_; }
  [[nodiscard]] bool has_keys() const { return standing_ != ListStanding::none; }
  /// The list in force; nullptr without one. Valid until the next accept() or take_provisioned().
  [[nodiscard]] contract::KeyRing* ring() { return has_keys() ? &*ring_ : nullptr; }
  /// Of the list in force; 0 without one.
  [[nodiscard]] std::uint32_t serial() const { return has_keys() ? ring_->head().serial : 0; }
  [[nodiscard]] std::uint32_t issued() const { return has_keys() ? ring_->head().issued : 0; }
  /// The list in force has certainly expired: it still counts, and a newer one is asked for at each
  /// contact.
  [[nodiscard]] bool expired(std::uint32_t time_floor) const {
    return has_keys() && time_floor > ring_->head().expires;
  }

  /// Begins to fetch: picks a free area and forgets what was being fetched and what was staged as
  /// the same. false: there is no partition for it.
  bool begin(Fetched what);
  /// Erases at most one sector. True: pieces may come.
  Result<bool> prepare() { return staging_.prepare(flash_); }
  Status append(std::span<const std::uint8_t> bytes) { return staging_.append(flash_, bytes); }
  /// The file is whole; its length.
  Result<std::uint32_t> finish();
  void abandon() { staging_.abandon(); }
  /// Nothing is staged and nothing is being fetched.
  void forget(Fetched what);

  /// The staged manifest; empty without one. Valid until begin(manifest) or forget(manifest).
  [[nodiscard]] AreaFile manifest_file() const { return staged_file(Fetched::manifest); }

  /// Judges the staged key list by the one in force and puts it in force when it may follow: one
  /// record. Without a list in force (refusal `new_threshold` with needed 0): none is taken from
  /// the network. What is refused is forgotten. `old_threshold`: fetch /keys/<serial() + 1>.jws, at
  /// most max_lists_between per session.
  /// Errors  flash_failed: the journal did not take the record; the old list is in force.
  Result<contract::KeyListVerdict> accept(std::uint32_t time_floor);
  static constexpr std::uint32_t max_lists_between = 32;

  /// Something (a manifest, the broker's certificate) was verified with the list in force: the
  /// previous one has served. A record the first time, nothing later.
  Status note_verified();

 private:
  struct Staged {
    std::uint8_t area = 0;
    std::uint32_t bytes = 0;  ///< 0: nothing
  };

  [[nodiscard]] std::uint32_t address_of(std::uint32_t area) const {
    return region_.base + area * area_bytes;
  }
  [[nodiscard]] std::uint8_t free_area() const;
  [[nodiscard]] Staged& staged(Fetched what) { return staged_[static_cast<std::size_t>(what)]; }
  [[nodiscard]] AreaFile staged_file(Fetched what) const;
  [[nodiscard]] AreaFile file_of(const KeyListRecord& record) const;
  [[nodiscard]] bool is_whole(const KeyListRecord& record) const;
  [[nodiscard]] KeyListRecord list_to_keep() const;
  void choose();
  bool try_list(const KeyListRecord& record, ListStanding standing);
  Status put_in_force(const contract::KeyListHead& head);

  Flash& flash_;
  Ledger& ledger_;
  contract::Hasher& hasher_;
  contract::SignatureVerifier& verifier_;
  Region region_;
  std::string_view product_;
  ListStanding standing_ = ListStanding::none;
  AreaFile file_;
  std::optional<contract::KeyRing> ring_;
  Staging staging_;
  Fetched fetching_ = Fetched::key_list;
  std::uint8_t fetching_into_ = 0;
  std::array<Staged, 2> staged_{};
};

}  // namespace otaria::device
