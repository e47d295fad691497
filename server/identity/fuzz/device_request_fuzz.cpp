// Arbitrary bytes as what devices and factories send: a signed request as it stands, the payload of
// one that is signed, a form, a list. The first byte chooses. Nothing may crash, and what is taken
// must be what the rules promise.
#include <cstdlib>
#include <string>
#include <string_view>

#include "contract/vocabulary.hpp"
#include "server/identity/import_list.hpp"
#include "server/identity/nonce.hpp"
#include "server/identity/signed_request.hpp"
#include "server/identity/token_exchange.hpp"

namespace {

using namespace otaria;
using namespace otaria::server;

void require(bool holds) {
  if (!holds) std::abort();
}

crypto::PrivateKey& key() {
  static crypto::PrivateKey made = crypto::PrivateKey::generate(contract::Algorithm::es256);
  return made;
}

void read_requests(std::string_view text) {
  if (const auto enrolment = read_enrolment(text)) {
    require(contract::is_mac(enrolment.value().mac));
    require(crypto::is_valid(enrolment.value().key));
    require(enrolment.value().id.empty() || contract::is_device_id(enrolment.value().id));
  }
  const auto assertion = read_assertion(text);
  if (!assertion) return;
  require(contract::is_mac(assertion.value().mac));
  require(!assertion.value().nonce.empty() && !assertion.value().aud.empty());
  if (!assertion.value().new_pub.empty()) {
    const auto fresh = read_new_key(assertion.value());
    require(!fresh || crypto::is_valid(fresh.value()));
  }
}

void read_signed_payload(std::string_view payload) {
  read_requests(crypto::compact_jws("otaria-enrol+jws", payload, key()));
  read_requests(crypto::compact_jws("otaria-assertion+jwt", payload, key()));
}

void read_list(ImportList list) {
  require(list.rows.size() <= most_import_rows + 1);
  if (!list.errors.empty() || !judge_import(list.rows).empty()) return;
  for (const ImportRow& row : list.rows) {
    require(contract::is_mac(row.mac) && device_key_from(row.public_key));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Nonces nonces;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 'p':
      read_signed_payload(text);
      break;
    case 'f':
      if (const auto assertion = assertion_from_form(text)) read_requests(assertion.value());
      break;
    case 'c':
      read_list(read_import_csv(text));
      break;
    case 'j':
      read_list(read_import_json(text));
      break;
    case 'n':
      require(!nonces.is_fresh(text, 1'790'000'000));
      break;
    default:
      read_requests(text);
  }
  return 0;
}
