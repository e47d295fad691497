#include "operator/keys/secret.hpp"

#include <gtest/gtest.h>
#include <pty.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <vector>

#include "operator/keys/key_error.hpp"
#include "operator/keys/testing/soft_hsm.hpp"

namespace otaria::keys {
namespace {

using testing::new_folder;
using testing::write_file;

template <class Work>
std::string code_of(Work work) {
  try {
    work();
  } catch (const KeyError& error) {
    EXPECT_FALSE(error.hint.empty());
    return error.code;
  }
  return "accepted";
}

class SecretTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ::unsetenv(passphrase_variable);
    ::unsetenv(pin_variable);
  }
  void TearDown() override { SetUp(); }
  std::string folder_ = new_folder("secret");
};

/// Answers prompts from a list, and remembers them.
struct Person {
  std::vector<std::string> answers;
  std::vector<std::string> prompts;
  std::function<Secret(std::string_view)> asked() {
    return [this](std::string_view prompt) {
      prompts.emplace_back(prompt);
      if (answers.empty()) return Secret{};
      std::string answer = answers.front();
      answers.erase(answers.begin());
      return Secret{std::move(answer)};
    };
  }
};

TEST_F(SecretTest, WipesTheStringItIsMadeFrom) {
  std::string text = "correct horse battery staple";
  const Secret secret{std::move(text)};
  EXPECT_EQ(secret.view(), "correct horse battery staple");
  EXPECT_TRUE(text.empty());  // NOLINT(bugprone-use-after-move): that it is empty is the promise
}

TEST_F(SecretTest, IsTheFirstLineOfItsFile) {
  for (const char* end : {"", "\n", "\r\n", "\nsecond line\n"}) {
    const auto path = write_file(folder_ + "/p", std::string{"four words and blanks"} + end);
    EXPECT_EQ(read_secret_file(path, "passphrase").view(), "four words and blanks");
  }
}

TEST_F(SecretTest, RefusesAFileThatOthersMayRead) {
  for (const unsigned mode : {0640U, 0604U, 0660U, 0602U, 0610U, 0644U}) {
    const auto path = write_file(folder_ + "/p", "a passphrase\n", mode);
    EXPECT_EQ(code_of([&] { read_secret_file(path, "passphrase"); }), "passphrase_file_exposed");
  }
  const auto path = write_file(folder_ + "/p", "1234\n", 0644);
  EXPECT_EQ(code_of([&] { read_secret_file(path, "PIN"); }), "pin_file_exposed");
}

TEST_F(SecretTest, RefusesAFileWithoutASecret) {
  EXPECT_EQ(code_of([&] { read_secret_file(folder_ + "/none", "PIN"); }), "pin_file_unreadable");
  EXPECT_EQ(code_of([&] { read_secret_file(folder_, "PIN"); }), "pin_file_unreadable");
  for (const auto& content : {std::string(), std::string("\n"), std::string("\0abc", 4)}) {
    const auto path = write_file(folder_ + "/p", content);
    EXPECT_EQ(code_of([&] { read_secret_file(path, "PIN"); }), "pin_file_malformed");
  }
  const auto path = write_file(folder_ + "/p", std::string(5000, 'x'));
  EXPECT_EQ(code_of([&] { read_secret_file(path, "PIN"); }), "pin_file_unreadable");
}

TEST_F(SecretTest, DoesNotHangAtAPipeThatNobodyWritesTo) {
  const std::string path = folder_ + "/fifo";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(code_of([&] { read_secret_file(path, "PIN"); }), "pin_file_unreadable");
}

TEST_F(SecretTest, PassphraseComesFromFileThenEnvironmentThenPerson) {
  Person person{{"typed by hand"}, {}};
  SecretSources sources{{write_file(folder_ + "/p", "from a file")}, person.asked()};
  ::setenv(passphrase_variable, "from the environment", 1);
  EXPECT_EQ(passphrase_for(sources, "root.key", 0).view(), "from a file");
  sources.passphrase_files.clear();
  EXPECT_EQ(passphrase_for(sources, "root.key", 0).view(), "from the environment");
  ::unsetenv(passphrase_variable);
  EXPECT_TRUE(person.prompts.empty());
  EXPECT_EQ(passphrase_for(sources, "root.key", 0).view(), "typed by hand");
  EXPECT_EQ(person.prompts, std::vector<std::string>{"Passphrase of root.key: "});
  EXPECT_EQ(code_of([&] { passphrase_for(sources, "root.key", 0); }), "passphrase_required");
  EXPECT_EQ(code_of([&] { passphrase_for({}, "root.key", 0); }), "passphrase_required");
}

TEST_F(SecretTest, OnePassphraseFileServesAllKeysAndSeveralServeOneEach) {
  const auto first = write_file(folder_ + "/1", "the first one");
  const auto second = write_file(folder_ + "/2", "the second one");
  EXPECT_EQ(passphrase_for({{first}, {}}, "k", 5).view(), "the first one");
  EXPECT_EQ(passphrase_for({{first, second}, {}}, "k", 1).view(), "the second one");
  EXPECT_EQ(code_of([&] { passphrase_for({{first, second}, {}}, "k", 2); }), "passphrase_files");
}

TEST_F(SecretTest, ANewPassphraseIsTypedTwiceAndLongEnough) {
  const auto with = [](std::vector<std::string> answers) {
    Person person{std::move(answers), {}};
    return code_of([&] { new_passphrase({{}, person.asked()}, "root.key"); });
  };
  EXPECT_EQ(with({"long enough", "long enough"}), "accepted");
  EXPECT_EQ(with({"long enough", "long enouhg"}), "passphrases_differ");
  EXPECT_EQ(with({"long enough"}), "passphrases_differ");
  EXPECT_EQ(with({"short", "short"}), "passphrase_too_short");
  EXPECT_EQ(with({}), "passphrase_required");
}

TEST_F(SecretTest, PinComesFromTheReferenceThenEnvironmentThenPerson) {
  Person person{{"3333"}, {}};
  const SecretSources sources{{}, person.asked()};
  ::setenv(pin_variable, "2222", 1);
  EXPECT_EQ(pin_for(sources, write_file(folder_ + "/pin", "1111"), "t").view(), "1111");
  EXPECT_EQ(pin_for(sources, "", "t").view(), "2222");
  ::unsetenv(pin_variable);
  EXPECT_EQ(pin_for(sources, "", "t").view(), "3333");
  EXPECT_EQ(code_of([&] { pin_for({}, "", "t"); }), "pin_required");
}

/// Reads from a terminal until it has shown `text`; what came, at most until it falls silent.
std::string read_until(int terminal, const std::string& text) {
  std::string seen;
  std::array<char, 256> piece{};
  while (seen.find(text) == std::string::npos) {
    const ssize_t got = ::read(terminal, piece.data(), piece.size());
    if (got <= 0) break;
    seen.append(piece.data(), static_cast<std::size_t>(got));
  }
  return seen;
}

TEST(Terminal, AsksWithoutEchoAndTurnsItOnAgain) {
  int terminal = -1;
  const pid_t child = ::forkpty(&terminal, nullptr, nullptr, nullptr);
  ASSERT_GE(child, 0);
  if (child == 0) {
    const Secret secret = ask_terminal("Passphrase: ");
    termios after{};
    const bool echoes = ::tcgetattr(STDIN_FILENO, &after) == 0 && (after.c_lflag & ECHO) != 0;
    ::_exit(secret.view() == "open sesame" && echoes ? 0 : 1);
  }
  std::string seen = read_until(terminal, "Passphrase: ");
  const std::string typed = "open sesame\n";
  ASSERT_EQ(::write(terminal, typed.data(), typed.size()), static_cast<ssize_t>(typed.size()));
  seen += read_until(terminal, "\n");
  EXPECT_EQ(seen.find("sesame"), std::string::npos) << seen;
  int status = 0;
  ::waitpid(child, &status, 0);
  ::close(terminal);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace otaria::keys
