#include "device/keys/key_store.hpp"

#include <algorithm>
#include <array>
#include <cassert>

#include "contract/trust/signed_file.hpp"

namespace otaria::device {

using contract::KeyListRefusal;
using contract::KeyListVerdict;
using contract::KeyRing;

namespace {

constexpr std::uint32_t limit_of(Fetched what) {
  return what == Fetched::manifest ? contract::manifest_kind.file_bytes
                                   : contract::key_list_kind.file_bytes;
}
static_assert(limit_of(Fetched::key_list) <= KeyStore::area_bytes);
static_assert(limit_of(Fetched::manifest) <= KeyStore::area_bytes);

/// CRC-32 of a whole file; nothing when the medium failed.
std::optional<std::uint32_t> crc_of(contract::FileSource& file) {
  std::array<std::uint8_t, 64> window{};
  std::uint32_t crc = 0;
  for (std::uint32_t at = 0; at < file.size();) {
    const auto piece = std::span{window}.first(std::min<std::size_t>(64, file.size() - at));
    if (!file.read(at, piece)) return std::nullopt;
    crc = crc32(piece, crc);
    at += static_cast<std::uint32_t>(piece.size());
  }
  return crc;
}

Status copy(contract::FileSource& from, Staging& to, Flash& flash) {
  for (bool ready = false; !ready;) {
    const auto prepared = to.prepare(flash);
    if (!prepared) return prepared.error();
    ready = prepared.value();
  }
  std::array<std::uint8_t, 64> window{};
  for (std::uint32_t at = 0; at < from.size();) {
    const auto piece = std::span{window}.first(std::min<std::size_t>(64, from.size() - at));
    if (!from.read(at, piece)) return flash_failed(0, at);
    if (auto done = to.append(flash, piece); !done) return done;
    at += static_cast<std::uint32_t>(piece.size());
  }
  return {};
}

}  // namespace

void KeyStore::open(const Region& region, std::string_view product) {
  region_ = region.bytes >= partition_bytes ? region : Region{};
  product_ = product;
  staging_.abandon();
  staged_ = {};
  choose();
}

void KeyStore::choose() {
  standing_ = ListStanding::none;
  ring_.reset();
  if (!region_) return;
  const KeyListsRecord& lists = ledger_.key_lists();
  if (!try_list(lists.active, ListStanding::active)) {
    try_list(lists.previous, ListStanding::previous);
  }
}

AreaFile KeyStore::file_of(const KeyListRecord& record) const {
  if (!record || record.area >= areas || record.bytes > limit_of(Fetched::key_list)) return {};
  return {flash_, address_of(record.area), record.bytes};
}

bool KeyStore::is_whole(const KeyListRecord& record) const {
  AreaFile file = file_of(record);
  return file.size() != 0 && crc_of(file) == record.crc;
}

bool KeyStore::try_list(const KeyListRecord& record, ListStanding standing) {
  ring_.reset();
  if (!is_whole(record)) return false;
  file_ = file_of(record);
  ring_.emplace(file_, hasher_);
  if (!ring_->open() || ring_->head().serial != record.serial) {
    ring_.reset();
    return false;
  }
  standing_ = standing;
  return true;
}

// At most two areas are named by the journal and one holds what else was staged.
std::uint8_t KeyStore::free_area() const {
  const KeyListsRecord& lists = ledger_.key_lists();
  std::array<bool, areas> used{};
  const auto use = [&used](std::uint8_t area) {
    used[std::min<std::size_t>(area, areas - 1)] = true;
  };
  if (lists.active) use(lists.active.area);
  if (lists.previous) use(lists.previous.area);
  for (const Staged& staged : staged_) {
    if (staged.bytes != 0) use(staged.area);
  }
  return static_cast<std::uint8_t>(std::ranges::find(used, false) - used.begin());
}

AreaFile KeyStore::staged_file(Fetched what) const {
  const Staged& staged = staged_[static_cast<std::size_t>(what)];
  if (staged.bytes == 0) return {};
  return {flash_, address_of(staged.area), staged.bytes};
}

bool KeyStore::begin(Fetched what) {
  forget(what);
  staging_.abandon();
  if (!region_) return false;
  fetching_ = what;
  fetching_into_ = free_area();
  assert(fetching_into_ < areas);
  staging_.begin(address_of(fetching_into_), limit_of(what));
  return true;
}

Result<std::uint32_t> KeyStore::finish() {
  const auto bytes = staging_.finish(flash_);
  if (bytes) staged(fetching_) = {fetching_into_, bytes.value()};
  return bytes;
}

void KeyStore::forget(Fetched what) {
  if (staging_.active() && fetching_ == what) staging_.abandon();
  staged(what) = {};
}

Result<bool> KeyStore::take_provisioned(contract::FileSource& list, KeyListVerdict& refused) {
  refused = {};
  if (!region_) return false;
  // The serial alone first: at nearly every start that is all.
  KeyRing candidate{list, hasher_};
  if (candidate.open() && has_keys() && candidate.head().serial <= serial()) {
    refused.head = candidate.head();
    refused.refusal = KeyListRefusal::not_newer;
    return false;
  }
  refused = contract::judge_key_list(list, nullptr, 0, hasher_, verifier_);
  if (!refused.ok()) return false;
  begin(Fetched::key_list);
  if (auto done = copy(list, staging_, flash_); !done) {
    forget(Fetched::key_list);
    return done.error();
  }
  const auto bytes = finish();
  if (!bytes) return bytes.error();
  AreaFile copied = staged_file(Fetched::key_list);
  const auto crc = crc_of(copied);
  if (!crc || crc != crc_of(list)) {
    forget(Fetched::key_list);
    return flash_failed(0, address_of(fetching_into_));
  }
  const Status done = put_in_force(refused.head);
  forget(Fetched::key_list);
  if (!done) return done.error();
  return true;
}

Result<KeyListVerdict> KeyStore::accept(std::uint32_t time_floor) {
  AreaFile candidate = staged_file(Fetched::key_list);
  KeyListVerdict verdict;
  if (!has_keys()) {
    verdict.refusal = KeyListRefusal::new_threshold;
    forget(Fetched::key_list);
    return verdict;
  }
  verdict = contract::judge_key_list(candidate, &*ring_, time_floor, hasher_, verifier_);
  const Status done = verdict.ok() ? put_in_force(verdict.head) : Status{};
  forget(Fetched::key_list);
  if (!done) return done.error();
  return verdict;
}

// The list that is kept is one that has proven itself: of several that follow each other unproven,
// the one before them all.
KeyListRecord KeyStore::list_to_keep() const {
  const KeyListsRecord& held = ledger_.key_lists();
  if (standing_ == ListStanding::none) return {};
  if (standing_ == ListStanding::previous) return held.previous;
  return is_whole(held.previous) ? held.previous : held.active;
}

Status KeyStore::put_in_force(const contract::KeyListHead& head) {
  const Staged& list = staged(Fetched::key_list);
  AreaFile file = staged_file(Fetched::key_list);
  const auto crc = crc_of(file);
  KeyRing ring{file, hasher_};
  if (!crc || !ring.open()) return flash_failed(0, address_of(list.area));
  KeyListsRecord lists;
  lists.active = {
      list.area, head.serial, list.bytes, *crc, head.epoch, head.issued, ring.floor_of(product_)};
  lists.previous = list_to_keep();
  if (auto done = ledger_.set_key_lists(lists); !done) return done;
  choose();
  return {};
}

Status KeyStore::note_verified() {
  const KeyListsRecord& held = ledger_.key_lists();
  if (standing_ != ListStanding::active || !held.previous) return {};
  return ledger_.set_key_lists({held.active, {}});
}

}  // namespace otaria::device
