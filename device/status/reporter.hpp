#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "contract/device/notice_reader.hpp"
#include "contract/device/status_writer.hpp"
#include "device/agent/identity.hpp"
#include "device/journal/ledger.hpp"
#include "device/ports/broker_link.hpp"
#include "device/ports/clock.hpp"

namespace otaria::device {

/// What runs now, as every message tells it.
struct Facts {
  contract::Version version;
  contract::Text<contract::build_text_bytes> build;
  contract::Digest image;
  std::uint32_t slot = 0;
  bool confirmed = true;
  ResetReason reset_reason = ResetReason::unknown;
  std::uint32_t max_image = 0;
  std::uint32_t security_counter = 0;  ///< the lowest that is installed
  std::uint32_t keys = 0;              ///< serial of the key list in force; 0: none
  bool keys_expired = false;
  bool fallback_below_floor = false;
  bool clock_suspect = false;  ///< the clock is set to a time that has certainly passed
};

/// Says what happened, in order, each thing until the broker has acknowledged it: states passed
/// while offline and before a reset too. One message is under way at a time, so the order on the
/// wire is the order of events.
///
/// What is owed is not a queue but follows from the ledger: unsent marks of outcomes and of the
/// update in hand, unacknowledged outcomes, then the progress, then the state when it changed.
/// Memory   a message buffer of the owner, used only during a call (the link copies); no heap.
class Reporter {
 public:
  Reporter(Ledger& ledger,
           BrokerLink& link,
           const Clock& clock,
           const Identity& identity,
           const Facts& facts,
           std::span<char, contract::max_packet_bytes> message)
      : ledger_{&ledger},
        link_{&link},
        clock_{&clock},
        identity_{&identity},
        facts_{&facts},
        message_{message} {}

  /// Reserves a session and opens the connection with its will.
  /// `token` is what the broker is shown; empty: nothing.
  Status connect(std::string_view token);
  void on_connected();
  Status on_lost();
  /// The PUBACK of the message under way.
  Status on_published();
  [[nodiscard]] bool connected() const { return connected_; }
  /// The broker took a state of this session: it was reached, with this image.
  [[nodiscard]] bool broker_reached() const { return connected_ && state_acknowledged_; }

  /// Publishes the next thing owed, if the link is free.
  Status run();
  [[nodiscard]] bool idle() const { return sending_ == Item::none && !next().has_value(); }
  /// In how many milliseconds run() has something to do without a further event.
  [[nodiscard]] std::uint32_t milliseconds_to_next() const;

  /// Where the download stands; sent within the contract's limits (5 points or 10 s, never two
  /// within 1 s).
  void progress(const contract::Progress& progress) { progress_ = progress; }
  void progress_ended() { progress_.reset(); }
  void state_changed() { state_due_ = true; }

  /// A notice that names no update was unreadable: `received`, `refused`, once per payload and
  /// start.
  void answer_unreadable(contract::NoticeDefect defect, std::uint32_t length, std::uint32_t crc);

  /// Publishes the text of the will and leaves: before a planned restart. Done when left().
  void leave();
  [[nodiscard]] bool left() const { return left_ && !rejoining_; }
  /// The same, and the next connect() begins anew: for a fresh token, which MQTT 3.1.1 takes at
  /// CONNECT only. Call while connected.
  void rejoin();
  [[nodiscard]] bool rejoining() const { return rejoining_; }

 private:
  enum class Item : std::uint8_t {
    none,
    state,
    outcome_mark,
    outcome,
    unreadable,
    mark,
    progress,
    farewell
  };
  struct Next {
    Item item = Item::none;
    std::uint32_t serial = 0;  ///< of the update; for an unreadable notice, its place in the list
    Mark mark = Mark::received;
  };
  struct Unreadable {
    std::uint32_t length = 0;
    std::uint32_t crc = 0;
    contract::NoticeDefect defect = contract::NoticeDefect::none;
    std::uint8_t owed = 0;  ///< statuses still to be taken by the broker: 2 received, 1 refused
  };
  static constexpr std::size_t unreadable_kept = 8;

  [[nodiscard]] std::optional<Next> next() const;
  [[nodiscard]] std::optional<Next> next_owed() const;
  [[nodiscard]] bool progress_is_due() const;
  Status send(const Next& next);
  Status send_state();
  Status send_mark(Mark mark,
                   const contract::UpdateId& update,
                   std::string_view target,
                   const contract::Progress& entry);
  Status send_outcome(const Outcome& outcome);
  Status send_unreadable(const Unreadable& notice);
  [[nodiscard]] const Outcome* outcome_with(std::uint32_t serial) const;
  Status send_status(contract::StatusFields& fields);
  void publish(BrokerLink::Topic topic, std::size_t bytes);

  Ledger* ledger_;
  BrokerLink* link_;
  const Clock* clock_;
  const Identity* identity_;
  const Facts* facts_;

  bool connected_ = false;
  bool state_due_ = true;
  bool state_acknowledged_ = false;
  bool leaving_ = false;
  bool left_ = false;
  bool rejoining_ = false;
  std::uint32_t session_ = 0;
  Item sending_ = Item::none;
  Next sent_;
  std::optional<contract::Progress> progress_;
  std::uint32_t sent_percent_ = 0;
  std::uint64_t progress_sent_ms_ = 0;
  std::array<Unreadable, unreadable_kept> unreadable_{};
  std::size_t unreadable_count_ = 0;
  std::span<char, contract::max_packet_bytes> message_;
};

}  // namespace otaria::device
