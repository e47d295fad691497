#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "contract/messages.hpp"
#include "device/journal/ledger.hpp"

/// What the ledger's tests share: a device that starts, and updates, slots and keys to remember.
namespace otaria::device::testing {

inline constexpr std::uint32_t sector = Flash::sector_bytes;
inline constexpr std::uint32_t first_session = 1234567;

/// One start of the device. The smallest partition there may be: banks of one sector.
struct Start {
  explicit Start(Flash& flash, std::uint32_t bytes = 2 * sector)
      : journal{flash, 0, bytes, work}, ledger{journal}, opened{ledger.open(first_session)} {}
  std::array<std::uint8_t, Journal::work_bytes> work{};
  Journal journal;
  Ledger ledger;
  Status opened;
};

// The same number makes the same thing.
contract::Digest digest_of(std::uint32_t number);
contract::Notice notice_of(std::uint32_t number);
SlotContent content_of(std::uint32_t number);
ManifestFacts facts_with(std::uint32_t counter, std::uint32_t epoch = 0);
KeyListRecord list_of(std::uint32_t serial, std::uint32_t floor, std::uint32_t epoch = 0);
DeviceId id_of(const std::string& text);
/// Every member at its longest.
contract::Notice longest_notice();

/// Every public fact that is durable, as text: two ledgers that say the same remember the same.
std::string facts_of(const Ledger& ledger);

/// An update accepted and ended.
void end_update(Ledger& ledger,
                std::uint32_t number,
                contract::UpdateState state,
                Fault fault = Fault::digest_mismatch);
/// The failed attempts of an image whose first update ended so.
std::uint32_t attempts_after(contract::UpdateState state, Fault fault);

}  // namespace otaria::device::testing
