#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <map>
#include <sstream>

#include "operator/cli/terminal/live_area.hpp"
#include "operator/cli/terminal/table.hpp"
#include "operator/cli/terminal/text.hpp"
#include "operator/cli/terminal/traits.hpp"

namespace otaria::terminal {
namespace {

Environment environment_of(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const char* name) -> std::optional<std::string> {
    const auto found = values.find(name);
    if (found == values.end()) return std::nullopt;
    return found->second;
  };
}

/// A pseudo-terminal's master counts as a terminal and costs no child process.
struct PseudoTerminal {
  int descriptor = ::posix_openpt(O_RDWR | O_NOCTTY);
  ~PseudoTerminal() { ::close(descriptor); }
};

TEST(Traits, APipeIsNeitherInteractiveNorColoured) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const Traits traits = detect(ends[1], environment_of({{"TERM", "xterm"}, {"COLUMNS", "132"}}));
  EXPECT_FALSE(traits.interactive);
  EXPECT_FALSE(traits.colour);
  EXPECT_EQ(traits.width, 132U);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(Traits, ATerminalIsColouredUnlessNoColorSaysOtherwise) {
  const PseudoTerminal terminal;
  EXPECT_TRUE(detect(terminal.descriptor, environment_of({{"TERM", "xterm"}})).colour);
  EXPECT_TRUE(
      detect(terminal.descriptor, environment_of({{"TERM", "xterm"}, {"NO_COLOR", ""}})).colour);
  const Traits plain =
      detect(terminal.descriptor, environment_of({{"TERM", "xterm"}, {"NO_COLOR", "1"}}));
  EXPECT_FALSE(plain.colour);
  EXPECT_TRUE(plain.interactive);
}

TEST(Traits, ADumbOrNamelessTerminalIsNotRedrawn) {
  const PseudoTerminal terminal;
  EXPECT_FALSE(detect(terminal.descriptor, environment_of({{"TERM", "dumb"}})).interactive);
  EXPECT_FALSE(detect(terminal.descriptor, environment_of({})).interactive);
}

TEST(Traits, TheFirstLocaleVariableThatIsSetDecidesAboutUnicode) {
  EXPECT_TRUE(detect(-1, environment_of({{"LANG", "de_DE.UTF-8"}})).unicode);
  EXPECT_FALSE(detect(-1, environment_of({{"LANG", "de_DE.UTF-8"}, {"LC_ALL", "C"}})).unicode);
  EXPECT_TRUE(detect(-1, environment_of({{"LANG", "C.utf8"}, {"LC_ALL", ""}})).unicode);
}

TEST(Traits, NonsenseInColumnsFallsBackToEighty) {
  for (const char* columns : {"", "0", "-4", "80x", "99999999999999999999999"}) {
    EXPECT_EQ(detect(-1, environment_of({{"COLUMNS", columns}})).width, 80U) << columns;
  }
}

TEST(Printable, TakesTheTeethOutOfEscapeSequences) {
  EXPECT_EQ(printable("\x1b]0;owned\x07 ok"), "?]0;owned? ok");
  EXPECT_EQ(printable("a\r\nb\tc\x7f"), "a??b?c?");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "?31m");  // C1 CSI
}

TEST(Printable, KeepsUtf8AndReplacesWhatIsNone) {
  EXPECT_EQ(printable("Fühler 温度 🙂"), "Fühler 温度 🙂");
  EXPECT_EQ(printable("\xff\xc0\xaf"), "???");       // never valid, overlong
  EXPECT_EQ(printable("\xed\xa0\x80"), "???");       // surrogate
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "????");  // beyond U+10FFFF
  EXPECT_EQ(printable("x\xe2\x82"), "x??");          // cut short
}

TEST(Columns, CountCodePointsAndNoColours) {
  EXPECT_EQ(columns_of("Fühler"), 6U);
  EXPECT_EQ(columns_of("\x1b[31mred\x1b[0m"), 3U);
  EXPECT_EQ(padded_left("ü", 3), "  ü");
  EXPECT_EQ(padded_right("abc", 2), "abc");
}

TEST(Fitted, CutsWithAMarkAndNeverBeyondTheWidth) {
  const Traits unicode{true, true, true, 80, 24};
  EXPECT_EQ(fitted("sensor_A1B2", 6, unicode), "senso…");
  EXPECT_EQ(fitted("sensor_A1B2", 6, Traits{}), "senso.");
  EXPECT_EQ(fitted("sensor", 6, unicode), "sensor");
  EXPECT_EQ(fitted("sensor", 0, unicode), "");
}

TEST(Numbers, ReadAsPeopleWriteThem) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(922809), "922,809");
  EXPECT_EQ(grouped(1234567890), "1,234,567,890");
  EXPECT_EQ(human_bytes(1023), "1023 B");
  EXPECT_EQ(human_bytes(922809), "901.2 KiB");
  EXPECT_EQ(human_bytes(1048575), "1.0 MiB");
  EXPECT_EQ(human_duration(std::chrono::seconds(7)), "0:07");
  EXPECT_EQ(human_duration(std::chrono::seconds(3723)), "1:02:03");
  EXPECT_EQ(human_duration(std::chrono::seconds(-5)), "0:00");
  EXPECT_EQ(human_time(0), "-");
}

TEST(ProgressBar, FillsInProportionAndNeverOverflows) {
  const Traits ascii;
  EXPECT_EQ(progress_bar(0, 12, ascii), "[----------]");
  EXPECT_EQ(progress_bar(42, 12, ascii), "[####------]");
  EXPECT_EQ(progress_bar(100, 12, ascii), "[##########]");
  EXPECT_EQ(progress_bar(4000000000U, 12, ascii), "[##########]");
  EXPECT_EQ(progress_bar(50, 2, ascii), "");
  const Traits unicode{true, true, true, 80, 24};
  EXPECT_EQ(columns_of(progress_bar(42, 12, unicode)), 12U);
}

TEST(Table, AlignsColumnsUnderTheirHeadings) {
  Table table({{"DEVICE"}, {"SIZE", true}, {"WHY"}});
  table.add({"sensor_A1B2", "5", "fine"});
  table.add({"s", "922,809"});
  EXPECT_EQ(table.text(Traits{}),
            "DEVICE          SIZE  WHY\n"
            "sensor_A1B2        5  fine\n"
            "s            922,809\n");
}

TEST(Table, CutsTheLastColumnOnATerminalOnly) {
  Table table({{"A"}, {"WHY"}});
  table.add({"x", std::string(200, 'y')});
  const Traits narrow{true, false, false, 40, 24};
  EXPECT_EQ(columns_of(table.lines(narrow)[1]), 40U);
  EXPECT_EQ(columns_of(table.lines(Traits{})[1]), 203U);
}

TEST(Table, KeepsColumnsStraightAroundColours) {
  Table table({{"STATE"}, {"X"}});
  table.add({Table::Cell("failed", Colour::red), "1"});
  table.add({"succeeded", "2"});
  const Traits colours{true, true, false, 80, 24};
  const auto lines = table.lines(colours);
  EXPECT_EQ(columns_of(lines[1]), columns_of(lines[2]));
  EXPECT_NE(lines[1].find("\x1b[31mfailed\x1b[0m"), std::string::npos);
}

TEST(Table, ACellCannotBreakItsLine) {
  Table table({{"A"}});
  table.add({"two\nlines\x1b[2J"});
  EXPECT_EQ(table.text(Traits{}), "A\ntwo?lines?[2J\n");
}

TEST(LiveArea, GoesBackByExactlyWhatItDrew) {
  std::ostringstream out;
  LiveArea area(out);
  const Traits traits{true, false, false, 80, 24};
  area.draw({"one", "two"}, traits);
  EXPECT_EQ(out.str(), "one\x1b[K\ntwo\x1b[K\n\x1b[J");
  out.str("");
  area.draw({"three"}, traits);
  EXPECT_EQ(out.str(), "\x1b[2A\rthree\x1b[K\n\x1b[J");
  out.str("");
  area.clear();
  EXPECT_EQ(out.str(), "\x1b[1A\r\x1b[J");
  out.str("");
  area.clear();
  EXPECT_EQ(out.str(), "");
}

TEST(LiveArea, NeverDrawsMoreRowsThanTheTerminalHas) {
  std::ostringstream out;
  LiveArea area(out);
  area.draw(std::vector<std::string>(50, "x"), Traits{true, false, false, 80, 10});
  const std::string drawn = out.str();
  EXPECT_EQ(std::count(drawn.begin(), drawn.end(), '\n'), 9);
}

}  // namespace
}  // namespace otaria::terminal
