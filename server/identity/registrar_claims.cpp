#include "server/identity/registrar.hpp"

#include "contract/ulid.hpp"
#include "contract/vocabulary.hpp"
#include "server/identity/registrar_steps.hpp"

namespace otaria::server {
namespace {

// 128 bits as 26 characters that nobody confuses when they are printed.
std::string random_code() {
  const auto bytes = crypto::random_bytes(16);
  std::uint64_t high = 0, low = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    high = high << 8 | bytes[i];
    low = low << 8 | bytes[i + 8];
  }
  const auto text = contract::ulid_text(high, low);
  return {text.data(), text.size()};
}

/// The claim for one wish, put into the store; the wish is known to be well-formed.
Outcome<MadeClaim> make_claim(StoreTransaction& transaction,
                              const ClaimWish& wish,
                              const Caller& caller,
                              std::int64_t now) {
  MadeClaim made{wish.mac, wish.id, random_code()};
  if (wish.mac.empty()) {
    // An id alone: of a device that is known, or of whichever enrols with the code.
    if (const auto known = transaction.identity(wish.id)) made.mac = known->mac;
  } else {
    const auto known = transaction.identity_of_mac(wish.mac);
    const std::string wanted = wish.id.empty() && known ? known->id : wish.id;
    auto id = choose_id(wish.mac, wanted, [&](const std::string& text) {
      return belongs_to_another(transaction, text, wish.mac);
    });
    if (!id) return id.refusal();
    made.id = id.value();
    if (!known) {
      transaction.put_identity({.mac = wish.mac,
                                .id = made.id,
                                .product = wish.product,
                                .hardware = wish.hardware,
                                .origin = "claim",
                                .created_at = now,
                                .changed_at = now});
    }
  }
  transaction.forget_claims(made.mac, made.id);
  transaction.put_claim({.secret_sha256 = claim_digest(made.code),
                         .mac = made.mac,
                         .id = wish.id,
                         .product = wish.product,
                         .hardware = wish.hardware,
                         .creator = caller.actor,
                         .created_at = now});
  tell(transaction,
       caller,
       event_of(caller, "device.claim", made.id.empty() ? made.mac : made.id, now));
  return made;
}

std::optional<Refusal> judge_wish(const ClaimWish& wish) {
  const bool names = (wish.product.empty() || is_plain_name(wish.product)) &&
                     (wish.hardware.empty() || is_plain_name(wish.hardware));
  const bool mac = wish.mac.empty() || contract::is_mac(wish.mac);
  const bool id = wish.id.empty() || contract::is_device_id(wish.id);
  if (names && mac && id && !(wish.mac.empty() && wish.id.empty())) return std::nullopt;
  return Refusal{"bad_request",
                 "a claim is for a `mac` (12 lower-case hex digits), an `id` (1 to 32 of A-Z a-z "
                 "0-9 _ -), or both; `product` and `hardware` are names",
                 "otaria device claim sensor_A1B2, or a4cf12e0a1b2"};
}

}  // namespace

Outcome<std::vector<MadeClaim>> Registrar::make_claims(const std::vector<ClaimWish>& wishes,
                                                       const Caller& caller,
                                                       std::int64_t now) {
  if (wishes.empty() || wishes.size() > most_claims_at_once) {
    return Refusal{"bad_request",
                   "`devices` holds " + std::to_string(wishes.size()) + " items, not 1 to " +
                       std::to_string(most_claims_at_once),
                   "ask in several requests"};
  }
  for (const ClaimWish& wish : wishes) {
    if (auto refusal = judge_wish(wish)) return *refusal;
  }
  std::vector<MadeClaim> made;
  std::optional<Refusal> refused;
  struct Undo {};
  try {
    store_.write([&](StoreTransaction& transaction) {
      for (const ClaimWish& wish : wishes) {
        auto one = make_claim(transaction, wish, caller, now);
        if (!one) {
          refused = one.refusal();
          throw Undo{};
        }
        made.push_back(std::move(one.value()));
      }
    });
  } catch (const Undo&) {
    return *refused;
  }
  return made;
}

}  // namespace otaria::server
