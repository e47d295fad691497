#include "contract/audit/audit_row.hpp"

#include <gtest/gtest.h>

namespace otaria::contract {
namespace {

AuditEvent some_event(int number = 1) {
  return {
      .at = 1790000000 + number,
      .actor = "ota_abcdefgh",
      .source = "192.0.2.7",
      .verb = "update.send",
      .subject = "sensor_" + std::to_string(number),
      .outcome = "done",
      .detail = audit_detail(
          {{"release", std::string{"1.4.0"}}, {"force", false}, {"count", std::int64_t{number}}})};
}

std::vector<AuditRow> some_log(int rows) {
  std::vector<AuditRow> log;
  std::string prev{no_audit_hash};
  for (int i = 1; i <= rows; ++i) {
    log.push_back(chained(some_event(i), i, prev));
    prev = log.back().hash;
  }
  return log;
}

/// The seq of the first row that does not fit, 0 when all do.
std::int64_t first_bad(const std::vector<AuditRow>& log) {
  AuditChain chain;
  for (const AuditRow& row : log) {
    if (chain.append(row)) return chain.last() + 1;
  }
  return 0;
}

TEST(AuditRow, IsWrittenCanonically) {
  AuditRow row = chained(some_event(), 1, std::string{no_audit_hash});
  EXPECT_EQ(audit_json(row),
            R"({"actor":"ota_abcdefgh","at":1790000001,)"
            R"("detail":{"count":1,"force":false,"release":"1.4.0"},"hash":")" +
                row.hash + R"(","outcome":"done","prev":")" + std::string{no_audit_hash} +
                R"(","seq":1,"source":"192.0.2.7","subject":"sensor_1","verb":"update.send"})");
}

TEST(AuditRow, HasTheHashThatAnotherProgramComputes) {
  // python3: hashlib.sha256(bytes(32) + json.dumps(row, sort_keys=True, separators=(",",":"),
  // ensure_ascii=False).encode())
  EXPECT_EQ(chained(some_event(), 1, std::string{no_audit_hash}).hash,
            "b67baf90955afd9e146d0618dbd1dce7b65a53e222d6a91b66f42f658bda362a");
}

TEST(AuditRow, ComesBackFromItsLine) {
  const AuditRow row = some_log(2)[1];
  const auto read = audit_row_from(audit_json(row));
  ASSERT_TRUE(read);
  EXPECT_EQ(audit_json(*read), audit_json(row));
  EXPECT_EQ(read->hash, audit_hash(*read));
}

TEST(AuditRow, WithAnyByteOfItsLineChangedIsFound) {
  const auto log = some_log(2);
  const std::string line = audit_json(log[1]);
  for (std::size_t place = 0; place < line.size(); ++place) {
    for (const int flip : {0x01, 0x20, 0x80}) {
      std::string changed = line;
      changed[place] = static_cast<char>(changed[place] ^ flip);
      const auto row = audit_row_from(changed);
      if (!row) continue;
      EXPECT_EQ(first_bad({log[0], *row}), 2) << changed;
    }
  }
}

TEST(AuditRow, TakesWhateverAClientSent) {
  AuditEvent event = some_event();
  event.subject = "quote \" line\n nul \x01 bad \xff\xfe half \xe2\x82";
  event.subject += '\0';
  event.source = std::string(5000, 'x');
  event.detail = "no JSON";
  const AuditRow row = chained(event, 1, std::string{no_audit_hash});
  EXPECT_EQ(row.source.size(), 512u);
  EXPECT_EQ(row.detail, "{}");
  EXPECT_NE(row.subject.find("\xef\xbf\xbd"), std::string::npos);
  EXPECT_TRUE(audit_row_from(audit_json(row)));
  EXPECT_EQ(first_bad({row}), 0);
}

TEST(AuditRow, OfAnotherFormIsNone) {
  const std::string line = audit_json(some_log(1)[0]);
  for (const std::string& text : {std::string{},
                                  std::string{"{}"},
                                  std::string{"[]"},
                                  " " + line,
                                  line + "\n",
                                  line + line,
                                  "{\"added\":1," + line.substr(1),
                                  std::string(100'000, '[')}) {
    EXPECT_FALSE(audit_row_from(text)) << text.substr(0, 80);
  }
}

TEST(AuditChain, OfUntouchedRowsHolds) {
  EXPECT_EQ(first_bad(some_log(50)), 0);
}

TEST(AuditChain, NamesTheFirstRowThatWasChanged) {
  auto log = some_log(10);
  log[4].subject = "another";
  EXPECT_EQ(first_bad(log), 5);
  log[4].hash = audit_hash(log[4]);  // who hashes anew breaks the next link instead
  EXPECT_EQ(first_bad(log), 6);
}

TEST(AuditChain, NamesTheGapOfADeletedRow) {
  auto log = some_log(10);
  log.erase(log.begin() + 3);
  EXPECT_EQ(first_bad(log), 4);
  log.erase(log.begin());
  EXPECT_EQ(first_bad(log), 1);
}

TEST(AuditChain, NamesTheFirstOfTwoThatWereExchanged) {
  auto log = some_log(10);
  std::swap(log[6], log[7]);
  EXPECT_EQ(first_bad(log), 7);
  std::swap(log[6].seq, log[7].seq);  // and renumbered
  EXPECT_EQ(first_bad(log), 7);
}

TEST(AuditChain, CannotKnowOfATailThatWasCut) {
  // That is what checkpoints are for.
  auto log = some_log(10);
  log.resize(6);
  EXPECT_EQ(first_bad(log), 0);
}

}  // namespace
}  // namespace otaria::contract
