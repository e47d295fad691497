#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "operator/cli/testing/program.hpp"

namespace otaria::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::run;

const std::string otaria = OTARIA_BIN_DIR "/otaria";

/// The words and options that `path`'s own --help lists: the tree as CLI11 knows it.
struct Listed {
  std::vector<std::string> verbs;
  std::vector<std::string> options;
};

Listed listed_by_help(std::vector<std::string> path) {
  path.emplace_back("--help");
  std::istringstream help(run(otaria, path).out);
  Listed listed;
  bool in_verbs = false;
  for (std::string line; std::getline(help, line);) {
    if (line == "Subcommands:") in_verbs = true;
    if (line.empty()) in_verbs = false;
    const bool entry = line.size() > 3 && line.starts_with("  ") && line[2] != ' ';
    if (!entry || line.starts_with("  otaria")) continue;
    const std::string word = line.substr(2, line.find_first_of(" =", 2) - 2);
    if (word.starts_with("--")) listed.options.push_back(word);
    if (in_verbs) listed.verbs.push_back(word);
  }
  return listed;
}

std::vector<std::vector<std::string>> find_every_path() {
  std::vector<std::vector<std::string>> paths{{}};
  for (std::size_t i = 0; i < paths.size(); ++i) {
    for (const auto& verb : listed_by_help(paths[i]).verbs) {
      auto longer = paths[i];
      longer.push_back(verb);
      paths.push_back(longer);
    }
  }
  return paths;
}

/// Asked of the program once: it takes a run per verb.
const std::vector<std::vector<std::string>>& every_path() {
  static const auto paths = find_every_path();
  return paths;
}

/// What bash offers after `words`, the last of which is being typed.
std::string offered_by_bash(const std::vector<std::string>& words) {
  std::string line;
  for (const auto& word : words) line += " '" + word + "'";
  const std::string script = "source <('" + otaria + "' completion bash); COMP_WORDS=(otaria" +
                             line + "); COMP_CWORD=" + std::to_string(words.size()) +
                             "; _otaria; printf '%s\\n' \"${COMPREPLY[@]}\"";
  const auto outcome = run("/bin/bash", {"-uc", script});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.err, IsEmpty());
  return "\n" + outcome.out;
}

TEST(Completion, BashOffersEveryVerbAndEveryOption) {
  const auto& paths = every_path();
  ASSERT_GE(paths.size(), 18U);  // an empty tree would pass below
  for (const auto& path : paths) {
    const Listed listed = listed_by_help(path);
    auto words = path;
    words.emplace_back("");
    const std::string verbs = offered_by_bash(words);
    for (const auto& verb : listed.verbs) EXPECT_THAT(verbs, HasSubstr("\n" + verb + "\n"));
    words.back() = "--";
    const std::string options = offered_by_bash(words);
    for (const auto& option : listed.options)
      EXPECT_THAT(options, HasSubstr("\n" + option + "\n")) << ::testing::PrintToString(path);
    EXPECT_THAT(options, HasSubstr("\n--server\n"));
  }
}

TEST(Completion, EveryShellsScriptNamesEveryVerbAndEveryOption) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string script = run(otaria, {"completion", shell}).out;
    for (const auto& path : every_path()) {
      const Listed listed = listed_by_help(path);
      for (const auto& verb : listed.verbs) EXPECT_THAT(script, HasSubstr(verb)) << shell;
      for (const auto& option : listed.options) {
        // fish writes long options without their dashes: -l force.
        EXPECT_THAT(
            script,
            HasSubstr(std::string(shell) == "fish" ? "-l " + option.substr(2) + " " : option))
            << shell;
      }
    }
  }
}

TEST(Completion, BashSkipsOptionsAndTheirValuesOnTheWayToAVerb) {
  EXPECT_THAT(offered_by_bash({"--server", "update", "release", ""}), HasSubstr("\npublish\n"));
  EXPECT_THAT(offered_by_bash({"--json", "upd"}), HasSubstr("\nupdate\n"));
  EXPECT_THAT(offered_by_bash({"update", "send", "--release", ""}), Not(HasSubstr("send")));
}

TEST(Completion, BashOffersFilesWhereAFileIsWanted) {
  EXPECT_THAT(offered_by_bash({"release", "publish", "/etc/pass"}), HasSubstr("/etc/passwd"));
  EXPECT_THAT(offered_by_bash({"--token-file", "/etc/pass"}), HasSubstr("/etc/passwd"));
  EXPECT_THAT(offered_by_bash({"device", "show", "/etc/pass"}), Not(HasSubstr("/etc/passwd")));
}

}  // namespace
}  // namespace otaria::cli
