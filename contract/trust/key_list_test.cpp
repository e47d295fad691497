#include "contract/trust/key_list.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "contract/trust/testing/signed_examples.hpp"

namespace otaria::contract {
namespace {

using testing::KeyListText;
using testing::PrivateKey;
using testing::signed_file;

class KeyListTest : public ::testing::Test {
 protected:
  KeyListTest() {
    list_.roots = {&root_};
    list_.releases = {&release_};
  }

  Defect defect_of(const std::string& json) {
    MemoryBytes bytes{json};
    crypto::Sha256Hasher hasher;
    return read_key_list(bytes, hasher, head_, recorder_);
  }
  Defect defect() { return defect_of(list_.json()); }

  class Recorder final : public KeyListVisitor {
   public:
    void on_key(const ListedKey& key) override { keys.emplace_back(key.id.view()); }
    void on_revoked(std::string_view key_id) override { revoked.emplace_back(key_id); }
    void on_floor(std::string_view product, std::uint32_t counter) override {
      floors.push_back(std::string{product} + "=" + std::to_string(counter));
    }
    void on_pin(std::string_view host, const Digest& pin) override {
      pins.push_back(std::string{host} + "=" + crypto::base64url(pin.bytes));
    }
    std::vector<std::string> keys, revoked, floors, pins;
  };

  PrivateKey root_ = PrivateKey::generate(Algorithm::es256);
  PrivateKey release_ = PrivateKey::generate(Algorithm::es256);
  KeyListText list_;
  KeyListHead head_;
  Recorder recorder_;
};

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), with);
}

TEST_F(KeyListTest, TellsEverythingThatItHolds) {
  const std::string pin(43, 'A');
  list_.serial = 7;
  list_.epoch = 2;
  list_.floor = R"("sensor":3,"Gate.Way-2":9)";
  list_.pins = R"("fw.example":[")" + pin + R"("])";
  list_.revoked = {"0123456789abcdef"};
  ASSERT_EQ(defect(), Defect::none);
  EXPECT_EQ(head_.serial, 7U);
  EXPECT_EQ(head_.epoch, 2U);
  EXPECT_EQ(head_.threshold_of(KeyRole::root), 1U);
  EXPECT_EQ(head_.keys[static_cast<std::size_t>(KeyRole::release)], 1U);
  EXPECT_EQ(
      recorder_.keys,
      (std::vector<std::string>{root_.public_key().key_id(), release_.public_key().key_id()}));
  EXPECT_EQ(recorder_.revoked, std::vector<std::string>{"0123456789abcdef"});
  EXPECT_EQ(recorder_.floors, (std::vector<std::string>{"sensor=3", "Gate.Way-2=9"}));
  EXPECT_EQ(recorder_.pins, std::vector<std::string>{"fw.example=" + pin});
}

TEST_F(KeyListTest, RefusesAKeyIdThatIsNotItsKeys) {
  const std::string id = release_.public_key().key_id();
  EXPECT_EQ(defect_of(replaced(list_.json(), id, "0123456789abcdef")), Defect::bad_value);
}

TEST_F(KeyListTest, RefusesAKeyTwiceAndAKeyOfTwoRoles) {
  list_.releases = {&release_, &release_};
  EXPECT_EQ(defect(), Defect::bad_value);
  list_.releases = {&root_};
  EXPECT_EQ(defect(), Defect::bad_value);
  list_.releases = {&release_};
  EXPECT_EQ(defect_of(replaced(list_.json(), R"(["release"])", R"(["release","root"])")),
            Defect::bad_value);
  EXPECT_EQ(defect_of(replaced(list_.json(), R"(["release"])", R"(["king"])")), Defect::bad_value);
}

TEST_F(KeyListTest, RefusesThresholdsThatItsKeysCannotReach) {
  list_.root_threshold = 2;
  EXPECT_EQ(defect(), Defect::bad_value);
  list_.root_threshold = 1;
  list_.release_threshold = 2;
  EXPECT_EQ(defect(), Defect::bad_value);
  list_.release_threshold = 0;
  EXPECT_EQ(defect(), Defect::bad_value);
  list_.release_threshold = 1;
  list_.root_threshold = 0;
  EXPECT_EQ(defect(), Defect::bad_value);
}

TEST_F(KeyListTest, RefusesAThresholdThatNoFileHasLinesFor) {
  std::vector<PrivateKey> more;
  more.reserve(5);
  for (int i = 0; i < 5; ++i) more.push_back(PrivateKey::generate(Algorithm::es256));
  list_.releases.clear();
  for (const PrivateKey& key : more) list_.releases.push_back(&key);
  list_.release_threshold = 4;
  EXPECT_EQ(defect(), Defect::none);
  list_.release_threshold = 5;
  EXPECT_EQ(defect(), Defect::bad_value);
}

TEST_F(KeyListTest, RefusesAListThatTrustsAndRevokesAKey) {
  list_.revoked = {release_.public_key().key_id()};
  EXPECT_EQ(defect(), Defect::bad_value);
}

TEST_F(KeyListTest, RefusesAnOtherFormatASerialOfZeroAndAnEarlyEnd) {
  list_.fmt = 2;
  EXPECT_EQ(defect(), Defect::bad_value);
  list_.fmt = 1;
  list_.serial = 0;
  EXPECT_EQ(defect(), Defect::bad_value);
  list_.serial = 1;
  list_.expires = list_.issued;
  EXPECT_EQ(defect(), Defect::bad_value);
}

TEST_F(KeyListTest, RefusesWhatIsCriticalAndUnknown) {
  list_.more = R"(,"crit":["shield"],"shield":1)";
  EXPECT_EQ(defect(), Defect::bad_value);
  list_.more = R"(,"crit":["pins"])";
  EXPECT_EQ(defect(), Defect::none);
  list_.more = R"(,"shield":{"x":[1]})";
  EXPECT_EQ(defect(), Defect::none);
}

TEST_F(KeyListTest, RefusesPinsThatAreNoDigests) {
  list_.pins = R"("fw.example":["AAAA"])";
  EXPECT_EQ(defect(), Defect::bad_value);
  list_.pins = R"("fw.example":[")" + std::string(43, 'A') + R"(="])";
  EXPECT_EQ(defect(), Defect::bad_value);
  list_.pins = R"("fw.example":"A")";
  EXPECT_EQ(defect(), Defect::wrong_type);
}

TEST_F(KeyListTest, HoldsTwelveKeysAndSixteenRevokedOnes) {
  std::vector<PrivateKey> more;
  more.reserve(11);
  for (int i = 0; i < 11; ++i) more.push_back(PrivateKey::generate(Algorithm::es256));
  for (int i = 0; i < 10; ++i) list_.releases.push_back(&more[static_cast<std::size_t>(i)]);
  EXPECT_EQ(defect(), Defect::none);
  list_.releases.push_back(&more[10]);
  EXPECT_EQ(defect(), Defect::too_many_values);
  list_.releases = {&release_};
  for (int i = 0; i < 16; ++i) list_.revoked.push_back("0123456789abcde" + std::to_string(i % 10));
  EXPECT_EQ(defect(), Defect::none);
  list_.revoked.emplace_back("0123456789abcdef");
  EXPECT_EQ(defect(), Defect::too_many_values);
}

TEST_F(KeyListTest, RefusesEveryTruncation) {
  const std::string whole = list_.json();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_NE(defect_of(whole.substr(0, length)), Defect::none) << length;
  }
}

TEST_F(KeyListTest, FindsAKeyWithinASignedFile) {
  list_.revoked = {"0123456789abcdef"};
  list_.floor = R"("sensor":3)";
  const std::string text = signed_file(key_list_kind.type, list_.json(), {&root_});
  MemoryFile file{text};
  crypto::Sha256Hasher hasher;
  KeyRing ring{file, hasher};
  ASSERT_TRUE(ring.open());
  std::array<std::uint8_t, 64> room{};
  ListedKey key;
  ASSERT_EQ(ring.find(release_.public_key().key_id(), room, key), KeyStanding::listed);
  EXPECT_EQ(key.role, KeyRole::release);
  EXPECT_TRUE(std::equal(key.public_key.begin(),
                         key.public_key.end(),
                         release_.public_key().bytes.begin(),
                         release_.public_key().bytes.end()));
  EXPECT_EQ(ring.find("0123456789abcdef", room, key), KeyStanding::revoked);
  EXPECT_EQ(ring.find("fedcba9876543210", room, key), KeyStanding::unknown);
  EXPECT_EQ(ring.floor_of("sensor"), 3U);
  EXPECT_EQ(ring.floor_of("gateway"), 0U);
}

TEST_F(KeyListTest, KeepsAKeyOfAnAlgorithmThatIsNotBuiltInButNotItsBytes) {
  const PrivateKey rsa = PrivateKey::generate(Algorithm::ps256);
  list_.releases = {&rsa};
  const std::string text = signed_file(key_list_kind.type, list_.json(), {&root_});
  MemoryFile file{text};
  crypto::Sha256Hasher hasher;
  KeyRing ring{file, hasher};
  ASSERT_TRUE(ring.open());
  std::array<std::uint8_t, 64> room{};
  ListedKey key;
  EXPECT_EQ(ring.find(rsa.public_key().key_id(), room, key), KeyStanding::listed);
  EXPECT_TRUE(key.public_key.empty());
}

TEST_F(KeyListTest, DoesNotOpenWhatIsNoKeyList) {
  for (const std::string& text : {std::string{},
                                  std::string{"x"},
                                  testing::known_manifest,
                                  signed_file(key_list_kind.type, "{}", {&root_})}) {
    MemoryFile file{text};
    crypto::Sha256Hasher hasher;
    KeyRing ring{file, hasher};
    EXPECT_FALSE(ring.open());
    std::array<std::uint8_t, 64> room{};
    ListedKey key;
    EXPECT_EQ(ring.find(root_.public_key().key_id(), room, key), KeyStanding::unknown);
  }
}

}  // namespace
}  // namespace otaria::contract
