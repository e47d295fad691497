#include "device/journal/testing/ledger_life.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <span>
#include <sstream>

#include "device/ports/fake_flash.hpp"

namespace otaria::device::testing {
namespace {

std::string hex(std::span<const std::uint8_t> bytes) {
  std::string text(bytes.size() * 2, ' ');
  contract::write_hex(bytes, text.data());
  return text;
}

void tell(std::ostream& out, const std::optional<std::uint32_t>& value) {
  out << (value ? std::to_string(*value) : "-");
}

void tell(std::ostream& out, const contract::Notice& n) {
  out << n.version.view() << ' ' << n.url.view() << ' ' << hex(n.digest.bytes) << ' ' << n.force
      << ' ' << n.update.view() << ' ' << n.manifest.view() << ' ' << n.spread_s << ' ';
  tell(out, n.size);
  tell(out, n.not_before);
  tell(out, n.deadline);
}

void tell(std::ostream& out, const Error& error) {
  out << contract::name_of(error.fault) << ',' << error.found << ',' << error.expected;
}

}  // namespace

contract::Digest digest_of(std::uint32_t number) {
  contract::Digest digest;
  digest.bytes.fill(0xD0);
  for (std::size_t i = 0; i < 4; ++i)
    digest.bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
  return digest;
}

contract::Notice notice_of(std::uint32_t number) {
  contract::Notice notice;
  notice.version.assign("2.0." + std::to_string(number));
  notice.url.assign("http://fw.example/" + std::to_string(number) + ".bin");
  notice.digest = digest_of(number);
  notice.update.assign("update-" + std::to_string(number));
  return notice;
}

contract::Notice longest_notice() {
  contract::Notice notice;
  notice.version.assign("1.0.0-" + std::string(contract::max_version_bytes - 6, 'v'));
  notice.url.assign("http://" + std::string(contract::max_url_bytes - 7, 'u'));
  notice.manifest.assign("http://" + std::string(contract::max_url_bytes - 7, 'm'));
  notice.update.assign(std::string(contract::max_update_id_bytes, 'i'));
  notice.digest.bytes.fill(0xFF);
  notice.size = notice.not_before = notice.deadline = 0xFFFFFFFF;
  notice.spread_s = 0xFFFFFFFF;
  notice.force = true;
  return notice;
}

std::string facts_of(const Ledger& ledger) {
  std::ostringstream out;
  if (const auto& current = ledger.current()) {
    out << "current ";
    tell(out, current->notice);
    out << " phase " << static_cast<int>(current->phase) << " unsent " << current->unsent.bits()
        << " total " << current->total << " prefix " << current->prefix << ' '
        << hex(current->prefix_hash) << " head " << hex(current->head) << " etag "
        << current->etag.view() << " fetched " << current->bytes_fetched << " resumed at "
        << current->resumed_at << " reselected " << current->reselected << " starts "
        << int{current->trial_starts} << " failure ";
    tell(out, current->trial_failure);
    if (const auto& manifest = current->manifest) {
      out << " manifest " << manifest->security_counter << ' ' << manifest->issued << ' '
          << manifest->epoch << ' ' << hex(manifest->build) << ' ' << manifest->size;
    }
    out << '\n';
  }
  for (std::size_t i = 0; i < ledger.outcome_count(); ++i) {
    const Outcome& o = ledger.outcome(i);
    out << "outcome " << o.update.view() << ' ' << o.target.view() << ' '
        << contract::name_of(o.state) << ' ';
    tell(out, o.error);
    out << ' ' << o.unsent.bits() << ' ' << o.bytes << ' ' << o.total << ' ' << o.resumed_at << ' '
        << o.acknowledged << ' ' << o.seq << '\n';
  }
  for (std::uint32_t number = 0; number < 40; ++number)
    out << ledger.failed_attempts(digest_of(number)) << ' ';
  for (std::uint32_t slot = 0; slot < Ledger::slots; ++slot) {
    const SlotContent& c = ledger.slot(slot);
    out << "\nslot " << c.known << c.confirmed << ' ' << hex(c.digest.bytes) << ' '
        << c.version.view() << ' ' << c.bytes << ' ' << hex(c.appended_hash) << ' '
        << c.security_counter;
  }
  for (const KeyListRecord& list : {ledger.key_lists().active, ledger.key_lists().previous}) {
    out << "\nkeys " << int{list.area} << ' ' << list.serial << ' ' << list.bytes << ' ' << list.crc
        << ' ' << list.epoch << ' ' << list.issued << ' ' << list.floor;
  }
  out << "\nfloor " << ledger.security_floor() << " epoch " << ledger.epoch();
  out << "\nreset " << ledger.seq_reset() << " id " << ledger.assigned_id().view();
  return out.str();
}

SlotContent content_of(std::uint32_t number) {
  SlotContent content;
  content.known = true;
  content.confirmed = number % 2 == 1;
  content.digest = digest_of(number);
  content.version.assign("1.0." + std::to_string(number));
  content.bytes = 1000 + number;
  content.security_counter = 70 + number;
  content.appended_hash.fill(static_cast<std::uint8_t>(number));
  return content;
}

ManifestFacts facts_with(std::uint32_t counter, std::uint32_t epoch) {
  return {counter, 1790000000 + counter, epoch, {1, 2, 3, 4, 5, 6, 7, 8}, 922809};
}

DeviceId id_of(const std::string& text) {
  DeviceId id;
  id.assign(text);
  return id;
}

KeyListRecord list_of(std::uint32_t serial, std::uint32_t floor, std::uint32_t epoch) {
  return {static_cast<std::uint8_t>(serial % 4),
          serial,
          1700 + serial,
          0xC0FFEE,
          epoch,
          1790000000,
          floor};
}

void end_update(Ledger& ledger, std::uint32_t number, contract::UpdateState state, Fault fault) {
  ASSERT_TRUE(ledger.accept(notice_of(number)));
  ASSERT_TRUE(ledger.finish(state, {fault, 1, 2}, 100));
}

std::uint32_t attempts_after(contract::UpdateState state, Fault fault) {
  FakeFlash flash{2 * sector};
  Start start{flash};
  end_update(start.ledger, 5, state, fault);
  return start.ledger.failed_attempts(digest_of(5));
}

}  // namespace otaria::device::testing
