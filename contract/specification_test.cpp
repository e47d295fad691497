#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "contract/defect.hpp"
#include "contract/vocabulary.hpp"

// One home per fact: the page is for people, the headers for compilers, and neither may know a word
// the other lacks.
namespace otaria::contract {
namespace {

std::string specification() {
  std::ifstream file{OTARIA_SOURCE_DIR "/docs/spec/contract.md"};
  return {std::istreambuf_iterator<char>{file}, {}};
}

std::string section(std::string_view heading) {
  const std::string page = specification();
  const std::size_t begin = page.find(heading);
  if (begin == std::string::npos) return {};
  return page.substr(begin, page.find("\n## ", begin) - begin);
}

/// `word` stands in backticks in the first column of a table, alone or beside others.
bool lists(const std::string& text, std::string_view word) {
  const std::string quoted = "`" + std::string{word} + "`";
  for (std::size_t at = text.find(quoted); at != std::string::npos;
       at = text.find(quoted, at + 1)) {
    const std::size_t line = text.rfind('\n', at) + 1;
    if (text[line] == '|' && text.find('|', line + 1) > at) return true;
  }
  return false;
}

TEST(Specification, ListsEveryState) {
  const std::string states = section("## 5. Status");
  for (std::string_view name : update_state_names) EXPECT_TRUE(lists(states, name)) << name;
}

TEST(Specification, ListsEveryFaultCode) {
  const std::string codes = section("## 9. Fault codes");
  for (std::string_view name : fault_names) EXPECT_EQ(lists(codes, name), name != "none") << name;
}

TEST(Specification, ListsEveryDefect) {
  const std::string defects = section("## 3. JSON");
  for (std::string_view name : defect_names)
    EXPECT_EQ(lists(defects, name), name != "none") << name;
}

TEST(Vocabulary, EveryNameLeadsBackToItsWord) {
  for (std::size_t i = 0; i < update_state_names.size(); ++i) {
    EXPECT_EQ(update_state_from(update_state_names[i]), static_cast<UpdateState>(i));
  }
  for (std::size_t i = 1; i < fault_names.size(); ++i)
    EXPECT_EQ(fault_from(fault_names[i]), static_cast<Fault>(i));
  EXPECT_FALSE(update_state_from("offered") || update_state_from("") || fault_from("none") ||
               fault_from(""));
}

TEST(Vocabulary, IdsAreJudgedByLengthAndAlphabet) {
  EXPECT_TRUE(is_device_id("sensor_A1B2") && is_device_id("-") &&
              is_device_id(std::string(32, 'z')));
  for (std::string_view id : {"", "a/b", "+", "#", "a b", "ä", "sensor_A1B2\n"})
    EXPECT_FALSE(is_device_id(id)) << id;
  EXPECT_FALSE(is_device_id(std::string(33, 'z')) || is_device_id(std::string_view{"a\0", 2}));
  EXPECT_TRUE(is_update_id(std::string(36, 'Z')));
  EXPECT_FALSE(is_update_id(std::string(37, 'Z')) || is_update_id(""));
  EXPECT_TRUE(is_mac("a4cf12e0a1b2"));
  for (std::string_view mac :
       {"", "A4CF12E0A1B2", "a4:cf:12:e0:a1:b2", "a4cf12e0a1b", "a4cf12e0a1bg"})
    EXPECT_FALSE(is_mac(mac)) << mac;
}

}  // namespace
}  // namespace otaria::contract
