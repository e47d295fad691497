#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>

#include "server/identity/registrar.hpp"
#include "server/identity/testing/signing_device.hpp"
#include "server/identity/token_exchange.hpp"
#include "server/store/sqlite_store.hpp"

namespace otaria::server::testing {

/// A registry, an issuer and an exchange on a store of their own, with a clock that the test sets.
class Desk : public ::testing::Test {
 protected:
  Desk() {
    char name[] = "/tmp/otaria-identity-XXXXXX";
    if (mkdtemp(name) == nullptr) throw std::runtime_error{"no temporary directory"};
    directory_ = name;
    store_ = std::make_unique<SqliteStore>(directory_ / "otaria.db");
    open({});
  }
  ~Desk() override {
    exchange_.reset();
    issuer_.reset();
    store_.reset();
    std::filesystem::remove_all(directory_);
  }
  /// As after a restart, with another configuration of the issuer.
  void open(const IssuerConfig& config, bool trust_first_use = false) {
    issuer_ = std::make_unique<Issuer>(directory_ / "keys", config, *store_, now_);
    registrar_ =
        std::make_unique<Registrar>(*store_, nonces_, trust_first_use, [this] { ++changes_; });
    TokenExchangeConfig exchange;
    exchange.audiences = {"https://ota.example"};
    exchange.mqtt_urls = {"mqtts://broker.example:8883"};
    exchange_ = std::make_unique<TokenExchange>(
        *store_, nonces_, *issuer_, exchange, [](StoreView&) { return std::int64_t{7}; });
  }
  std::string nonce() { return nonces_.make(now_); }
  /// The device is registered as the factory would.
  void import(SigningDevice& device, const std::string& id = "") {
    ImportRow row;
    row.line = 2;
    row.id = id;
    row.mac = device.mac();
    row.public_key = device.pub();
    const auto result = registrar_->import({row}, caller_, now_);
    ASSERT_TRUE(result.errors.empty()) << result.errors[0].detail;
  }
  std::string claim_for(const ClaimWish& wish) {
    return registrar_->make_claims({wish}, caller_, now_).value().at(0).code;
  }
  Outcome<DeviceIdentity> enrol(SigningDevice& device,
                                const std::string& claim,
                                const std::string& id = "") {
    const auto request = read_enrolment(device.enrolment(nonce(), claim, id));
    if (!request) return request.refusal();
    return registrar_->enrol(request.value(), "192.0.2.1", now_);
  }
  std::variant<DeviceToken, TokenRefusal> ask(SigningDevice& device) {
    return exchange_->exchange(device.assertion(nonce()), now_);
  }
  /// The code of the refusal; empty: a token was given.
  static std::string code_of(const std::variant<DeviceToken, TokenRefusal>& answer) {
    const auto* refusal = std::get_if<TokenRefusal>(&answer);
    return refusal == nullptr ? "" : refusal->refusal.code;
  }
  std::optional<DeviceIdentity> identity(const std::string& id) {
    std::optional<DeviceIdentity> found;
    store_->read([&](StoreView& view) { found = view.identity(id); });
    return found;
  }
  std::vector<DeniedToken> denied() {
    std::vector<DeniedToken> found;
    store_->read([&](StoreView& view) { found = view.denied_tokens(now_); });
    return found;
  }
  /// Verb, subject and actor of the newest row of the audit log.
  std::string last_audit() {
    std::optional<contract::AuditRow> row;
    store_->read([&](StoreView& view) { row = view.audit_head(); });
    return row ? row->verb + " " + row->subject + " " + row->actor : "";
  }

  std::int64_t now_ = 1'790'000'000;
  std::filesystem::path directory_;
  Caller caller_{
      .actor = "ota_abcdefgh", .roles = "", .rights = {}, .product = "", .source = "192.0.2.9"};
  Nonces nonces_;
  int changes_ = 0;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Issuer> issuer_;
  std::unique_ptr<Registrar> registrar_;
  std::unique_ptr<TokenExchange> exchange_;
};

}  // namespace otaria::server::testing
