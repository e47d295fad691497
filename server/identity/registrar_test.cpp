#include "server/identity/registrar.hpp"

#include <gtest/gtest.h>

#include "server/identity/testing/desk.hpp"

namespace otaria::server {
namespace {

using Registration = testing::Desk;
using testing::SigningDevice;

TEST_F(Registration, AnImportMakesDevicesActiveAndItsRepeatChangesNothing) {
  SigningDevice device{"a4cf12e0a1b2"};
  ImportRow row;
  row.mac = "A4:CF:12:E0:A1:B2";  // as people write it
  row.public_key = device.pub();
  const auto first = registrar_->import({row}, caller_, now_);
  EXPECT_EQ(first.created, 1u);
  EXPECT_EQ(identity("sensor_A1B2")->state, IdentityState::active);
  EXPECT_EQ(last_audit(), "device.import  ota_abcdefgh");
  const auto again = registrar_->import({row}, caller_, now_ + 5);
  EXPECT_EQ(again.created, 0u);
  EXPECT_EQ(again.unchanged, 1u);
  EXPECT_EQ(identity("sensor_A1B2")->created_at, now_);
}

TEST_F(Registration, AnImportWithOneBadLineChangesNothing) {
  SigningDevice a{"000000000001"}, b{"000000000002"};
  std::vector<ImportRow> rows(2);
  rows[0] = {.line = 2, .id = "same", .mac = a.mac(), .public_key = a.pub()};
  rows[1] = {.line = 3, .id = "other", .mac = b.mac(), .public_key = "not a key"};
  const auto result = registrar_->import(rows, caller_, now_);
  ASSERT_EQ(result.errors.size(), 1u);
  EXPECT_EQ(result.errors[0].line, 3u);
  EXPECT_EQ(result.errors[0].code, "bad_key");
  EXPECT_FALSE(identity("same"));
  EXPECT_EQ(last_audit(), "");
}

TEST_F(Registration, AnImportNeverReplacesAKeyNorRevivesADevice) {
  SigningDevice device{"a4cf12e0a1b2"}, thief{"a4cf12e0a1b2"};
  import(device);
  const auto result = registrar_->import(
      {{.line = 2, .mac = thief.mac(), .public_key = thief.pub()}}, caller_, now_);
  ASSERT_EQ(result.errors.size(), 1u);
  EXPECT_EQ(result.errors[0].code, "mac_registered");
  ASSERT_TRUE(registrar_->set_state("sensor_A1B2", IdentityState::revoked, "", caller_, now_));
  EXPECT_EQ(
      registrar_
          ->import({{.line = 2, .mac = device.mac(), .public_key = device.pub()}}, caller_, now_)
          .unchanged,
      1u);
  EXPECT_EQ(identity("sensor_A1B2")->state, IdentityState::revoked);
}

TEST_F(Registration, TheSecondMacOfAShortIdGetsALongOneEvenWithinOneList) {
  SigningDevice a{"000000e0a1b2"}, b{"111111e0a1b2"}, c{"222222e0a1b2"};
  const auto result =
      registrar_->import({{.line = 2, .mac = a.mac(), .public_key = a.pub()},
                          {.line = 3, .mac = b.mac(), .public_key = b.pub()},
                          {.line = 4, .id = "sensor_A1B2", .mac = c.mac(), .public_key = c.pub()}},
                         caller_,
                         now_);
  EXPECT_EQ(result.created, 3u);
  EXPECT_EQ(identity("sensor_A1B2")->mac, c.mac());  // who asked for it comes first
  EXPECT_TRUE(identity("sensor_000000e0a1b2"));
  EXPECT_TRUE(identity("sensor_111111e0a1b2"));
}

TEST_F(Registration, AnIdThatADeviceWithAnotherMacReportedUnderIsTaken) {
  store_->write([](StoreTransaction& t) {
    Device device;
    device.id = "sensor_A1B2";
    device.mac = "999999e0a1b2";
    t.put_device(device);
  });
  SigningDevice device{"a4cf12e0a1b2"};
  import(device);
  EXPECT_TRUE(identity("sensor_a4cf12e0a1b2"));
}

TEST_F(Registration, AClaimLetsOneKeyInOnce) {
  const std::string code = claim_for({.mac = "a4cf12e0a1b2"});
  EXPECT_EQ(code.size(), 26u);
  EXPECT_EQ(identity("sensor_A1B2")->state, IdentityState::pending);
  SigningDevice device{"a4cf12e0a1b2"}, thief{"a4cf12e0a1b2"};
  const auto enrolled = enrol(device, code);
  ASSERT_TRUE(enrolled) << enrolled.refusal().detail;
  EXPECT_EQ(enrolled.value().id, "sensor_A1B2");
  EXPECT_EQ(enrolled.value().state, IdentityState::active);
  EXPECT_EQ(last_audit(), "device.enrol sensor_A1B2 device:a4cf12e0a1b2");
  const auto second = enrol(thief, code);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.refusal().code, "claim_refused");
  EXPECT_EQ(identity("sensor_A1B2")->key, device.pub());
}

TEST_F(Registration, ARepeatedEnrolmentByTheSameKeyIsAnsweredAsTheFirst) {
  const std::string code = claim_for({.mac = "a4cf12e0a1b2"});
  SigningDevice device{"a4cf12e0a1b2"};
  ASSERT_TRUE(enrol(device, code));
  const auto again = enrol(device, code);
  ASSERT_TRUE(again);
  EXPECT_EQ(again.value().id, "sensor_A1B2");
  ASSERT_TRUE(registrar_->set_state("sensor_A1B2", IdentityState::revoked, "", caller_, now_));
  EXPECT_FALSE(enrol(device, code));
}

TEST_F(Registration, UnknownUsedAndAnothersClaimsGetTheSameAnswer) {
  const std::string code = claim_for({.mac = "a4cf12e0a1b2"});
  SigningDevice other{"000000000001"};
  for (const std::string& claim : {std::string{}, std::string(26, 'A'), code}) {
    const auto refused = enrol(other, claim);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.refusal().code, "claim_refused");
    EXPECT_EQ(refused.refusal().detail, "the claim is unknown, used, or another device's");
  }
}

TEST_F(Registration, ANewClaimEndsTheUnusedOneBeforeIt) {
  const std::string old = claim_for({.mac = "a4cf12e0a1b2"});
  const std::string fresh = claim_for({.mac = "a4cf12e0a1b2"});
  SigningDevice device{"a4cf12e0a1b2"};
  EXPECT_FALSE(enrol(device, old));
  EXPECT_TRUE(enrol(device, fresh));
}

TEST_F(Registration, AClaimForAnIdGivesThatIdAndNoOther) {
  const std::string code = claim_for({.id = "boiler"});
  SigningDevice device{"a4cf12e0a1b2"};
  const auto conflict = enrol(device, code, "oven");
  ASSERT_FALSE(conflict);
  EXPECT_EQ(conflict.refusal().code, "id_conflict");
  EXPECT_EQ(enrol(device, code).value().id, "boiler");
}

TEST_F(Registration, AnIdOfAnotherMacIsAConflictAndTheClaimStaysUnspent) {
  SigningDevice first{"000000000001"}, second{"a4cf12e0a1b2"};
  import(first, "boiler");
  const std::string code = claim_for({.mac = second.mac()});
  const auto conflict = enrol(second, code, "boiler");
  ASSERT_FALSE(conflict);
  EXPECT_EQ(conflict.refusal().code, "id_conflict");
  EXPECT_TRUE(enrol(second, code));
}

TEST_F(Registration, ANewKeyByAClaimRevivesARevokedDeviceAndDeniesWhatTheOldOneHolds) {
  SigningDevice device{"a4cf12e0a1b2"}, replaced{"a4cf12e0a1b2"};
  import(device);
  ASSERT_EQ(code_of(ask(device)), "");
  ASSERT_TRUE(
      registrar_->set_state("sensor_A1B2", IdentityState::revoked, "stolen", caller_, now_));
  ASSERT_EQ(denied().size(), 1u);
  EXPECT_EQ(denied()[0].subject, device.mac());
  ASSERT_TRUE(enrol(replaced, claim_for({.id = "sensor_A1B2"})));
  ASSERT_EQ(code_of(ask(replaced)), "");
  EXPECT_EQ(code_of(ask(device)), "not_enrolled");
  // Only the old key's token, no longer the whole device.
  ASSERT_EQ(denied().size(), 1u);
  EXPECT_NE(denied()[0].jti, "");
}

TEST_F(Registration, WithoutAClaimNobodyEnrolsUnlessTheServerTrustsTheFirstUse) {
  SigningDevice device{"a4cf12e0a1b2"}, thief{"a4cf12e0a1b2"};
  EXPECT_FALSE(enrol(device, ""));
  open({}, true);
  EXPECT_TRUE(enrol(device, ""));
  EXPECT_TRUE(enrol(device, ""));
  EXPECT_FALSE(enrol(thief, ""));
  EXPECT_EQ(identity("sensor_A1B2")->key, device.pub());
}

TEST_F(Registration, AnEnrolmentNeedsAFreshNonceOfOursOnce) {
  const std::string code = claim_for({.mac = "a4cf12e0a1b2"});
  SigningDevice device{"a4cf12e0a1b2"};
  const std::string used = nonce();
  const auto request = read_enrolment(device.enrolment(used, code)).value();
  ASSERT_TRUE(registrar_->enrol(request, "", now_));
  EXPECT_EQ(registrar_->enrol(request, "", now_).refusal().code, "use_nonce");
  const auto late = read_enrolment(device.enrolment(nonce(), code)).value();
  EXPECT_EQ(registrar_->enrol(late, "", now_ + 120).refusal().code, "use_nonce");
}

TEST_F(Registration, AStateChangeIsToldToTheAuditLogAndToWhoeverWritesTheDenylist) {
  SigningDevice device{"a4cf12e0a1b2"};
  import(device);
  ASSERT_TRUE(
      registrar_->set_state("sensor_A1B2", IdentityState::suspended, "lost", caller_, now_));
  EXPECT_EQ(last_audit(), "device.state sensor_A1B2 ota_abcdefgh");
  EXPECT_EQ(changes_, 1);
  const auto unknown = registrar_->set_state("nobody", IdentityState::revoked, "", caller_, now_);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.refusal().code, "unknown_device");
}

TEST_F(Registration, AnOpenClaimEndsWhenTheDeviceIsImportedOrRevoked) {
  SigningDevice device{"a4cf12e0a1b2"}, thief{"a4cf12e0a1b2"};
  const std::string before_import = claim_for({.mac = "a4cf12e0a1b2"});
  import(device);
  EXPECT_FALSE(enrol(thief, before_import));
  const std::string before_revocation = claim_for({.id = "sensor_A1B2"});
  ASSERT_TRUE(registrar_->set_state("sensor_A1B2", IdentityState::revoked, "", caller_, now_));
  EXPECT_FALSE(enrol(thief, before_revocation));
}

TEST_F(Registration, ClaimsAreAllMadeOrNone) {
  SigningDevice first{"000000000001"};
  import(first, "boiler");
  const auto refused = registrar_->make_claims(
      {{.mac = "a4cf12e0a1b2"}, {.mac = "000000000002", .id = "boiler"}}, caller_, now_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.refusal().code, "id_conflict");
  EXPECT_FALSE(identity("sensor_A1B2"));
  EXPECT_FALSE(registrar_->make_claims({{}}, caller_, now_));
  EXPECT_FALSE(registrar_->make_claims({{.mac = "A4CF12E0A1B2"}}, caller_, now_));
}

TEST_F(Registration, NoSecretReachesTheStore) {
  const std::string code = claim_for({.mac = "a4cf12e0a1b2"});
  bool found = true;
  store_->read([&](StoreView& view) { found = view.claim(code).has_value(); });
  EXPECT_FALSE(found);
  store_->read([&](StoreView& view) { found = view.claim(claim_digest(code)).has_value(); });
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace otaria::server
